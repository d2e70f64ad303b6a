/// The form in which an event waits on disk beside its frozen request: a storefront event again, in which e-mail and
/// phone are hashes and only known fields are left. Reading it with the storefront preset gives the same event, so a dead
/// letter can be mapped anew after a configuration was repaired.
enum NeutralEvent {
    static func append(
        _ reader: borrowing EventReader, _ emailForm: EmailAddress.Form, to output: inout ByteBuffer
    ) {
        let event = reader.event
        output.append(#"{"event":"#)
        output.append(json: event.name)
        output.append(#","event_id":"#)
        output.append(json: event.id)
        output.append(#","event_time":"#)
        output.append(decimal: event.time)
        output.append(#","url":"#, ifPresent: event.url)
        output.append(#","referrer":"#, ifPresent: event.referrer)
        output.append(#","title":"#, ifPresent: event.title)
        output.append(#","keywords":"#, ifPresent: event.keywords)
        output.append(#","page_load_id":"#, ifPresent: event.pageLoadID)
        output.append(#","source":"#, ifPresent: event.source)
        switch event.adStorage {
        case .missing: break
        case .granted: output.append(#","consent":{"ad_storage":"granted"}"#)
        case .denied: output.append(#","consent":{"ad_storage":"denied"}"#)
        }
        appendUser(event, emailForm, to: &output)
        appendProperties(reader, event, to: &output)
        output.append("}")
    }

    private static func appendUser(
        _ event: StorefrontEvent, _ emailForm: EmailAddress.Form, to output: inout ByteBuffer
    ) {
        output.append(#","user":{"#)
        switch emailForm {
        case .conversionsAPI: output.appendMember(#""email":"#, event.emailHash)
        case .enhancedConversions: output.appendMember(#""email":"#, event.enhancedEmailHash)
        }
        output.appendMember(#""phone":"#, event.phoneHash)
        output.appendMember(#""external_id":"#, event.externalID)
        output.appendMember(#""anonymous_id":"#, event.anonymousID)
        output.appendMember(#""msclkid":"#, event.clickID)
        output.appendMember(#""ip_address":"#, event.ipAddress)
        output.appendMember(#""user_agent":"#, event.userAgent)
        output.appendMember(#""idfa":"#, event.idfa)
        output.appendMember(#""gaid":"#, event.gaid)
        output.dropTrailingComma()
        output.append("}")
    }

    private static func appendProperties(
        _ reader: borrowing EventReader, _ event: StorefrontEvent, to output: inout ByteBuffer
    ) {
        output.append(#","properties":{"#)
        output.appendMember(#""value":"#, event.value)
        output.appendMember(#""currency":"#, event.currency)
        output.appendMember(#""transaction_id":"#, event.transactionID)
        output.appendMember(#""search_term":"#, event.searchTerm)
        output.appendList(#""item_ids":["#, reader.itemIDs)
        output.appendItems(reader.items)
        output.appendMember(#""category":"#, event.category)
        output.appendMember(#""label":"#, event.label)
        output.appendMember(#""page_type":"#, event.pageType)
        output.appendMember(#""event_value":"#, event.eventValue)
        output.appendMember(#""ecomm_total_value":"#, event.ecommTotalValue)
        output.appendMember(#""ecomm_category":"#, event.ecommCategory)
        output.appendMember(#""external_attribution_credit":"#, event.externalAttributionCredit)
        output.appendMember(#""external_attribution_model":"#, event.externalAttributionModel)
        output.dropTrailingComma()
        output.append("}")
    }
}

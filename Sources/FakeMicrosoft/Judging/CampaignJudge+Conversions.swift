import ForwarderCore

/// What is asked of an offline conversion.
extension CampaignJudge {
    mutating func conversion(_ places: FieldPlaces, _ judged: inout JudgedItem) {
        let goal = self.goal(places)
        if let from = goal?.acceptsFrom, now < from { note(.notAcceptedForGoal, .name, at: nil, .setback) }
        let time = self.time(places)
        identifiers(places, goal: goal)
        let amount = amount(places, .value, .currency)
        attribution(places, goal: goal)
        judged.id = ContentHash.of(text(places, .clickID))
        judged.key = CampaignJudge.key(
            clickID: text(places, .clickID), name: text(places, .name), time: text(places, .time),
            email: text(places, .email), phone: text(places, .phone))
        // The time is what can be shown: the other parts of the key are about a person.
        let shown = places[Field.time.rawValue]
        if shown != 0 { judged.shownID = view.range(shown) }
        judged.effect = .conversion(Conversion(key: original(places), time: time, amount: amount))
    }

    /// What makes two conversions the same one.
    static func key(clickID: Bytes, name: Bytes, time: Bytes, email: Bytes, phone: Bytes) -> UInt64 {
        var hash = ContentHash()
        for part in [clickID, name, time, email, phone] { hash.add(part) }
        return hash.value
    }

    /// What an adjustment finds a conversion by: goal, time and click id; without a click id the hashes.
    mutating func original(_ places: FieldPlaces) -> UInt64 {
        CampaignJudge.original(
            clickID: text(places, .clickID), name: text(places, .name), time: text(places, .time),
            email: text(places, .email), phone: text(places, .phone))
    }

    static func original(clickID: Bytes, name: Bytes, time: Bytes, email: Bytes, phone: Bytes) -> UInt64 {
        let none = Bytes(start: nil, count: 0)
        return clickID.isEmpty
            ? key(clickID: none, name: name, time: time, email: email, phone: phone)
            : key(clickID: clickID, name: name, time: time, email: none, phone: none)
    }

    mutating func goal(_ places: FieldPlaces) -> OfflineGoal? {
        let name = text(places, .name)
        guard !name.isEmpty else {
            note(.nameMissing, .name, at: nil)
            return nil
        }
        guard let goal = account.goals[name.text] else {
            note(.nameInvalid, .name, at: places[Field.name.rawValue])
            return nil
        }
        return goal
    }

    /// The time of the conversion; nil if it says none.
    mutating func time(_ places: FieldPlaces) -> Timestamp? {
        let text = text(places, .time)
        let index = places[Field.time.rawValue]
        guard !text.isEmpty else {
            note(.timeMissing, .time, at: nil)
            return nil
        }
        switch TimeReading(text) {
        case .unreadable: refuseWhole(.invalidDateObject, .time)
        case .notUTC: note(.timeInvalid, .time, at: index)
        case .utc(let time):
            if time > now { note(.timeInFuture, .time, at: index) }
            if time < now - CampaignJudge.ageLimit { note(.timeOutOfWindow, .time, at: index) }
            return time
        }
        return nil
    }

    mutating func identifiers(_ places: FieldPlaces, goal: OfflineGoal?) {
        let clickID = text(places, .clickID)
        let email = text(places, .email)
        let phone = text(places, .phone)
        if places[Field.email.rawValue] != 0, !email.isSHA256 {
            note(.emailNotHashed, .email, at: places[Field.email.rawValue])
        }
        if places[Field.phone.rawValue] != 0, !phone.isSHA256 {
            note(.phoneNotHashed, .phone, at: places[Field.phone.rawValue])
        }
        if !clickID.isEmpty {
            if !clickID.isBareGUID { note(.clickIDInvalid, .clickID, at: places[Field.clickID.rawValue]) }
        } else if email.isEmpty, phone.isEmpty {
            note(.clickIDMissing, .clickID, at: nil)
        } else if let goal, !goal.takesEnhancedConversions {
            note(.notEligibleForEnhancedConversions, .name, at: nil)
        }
    }

    /// Nil where no value is given: the goal's own counts.
    mutating func amount(_ places: FieldPlaces, _ valueField: Field, _ currencyField: Field) -> Amount? {
        let value = places[valueField.rawValue]
        var thousandths: Int64?
        if value != 0 {
            if view.kind(value) != .number {
                refuseWhole(.nullRequest, valueField)
            } else if !CampaignJudge.isValue(view.bytes(value)) {
                note(.valueInvalid, valueField, at: value)
            } else {
                thousandths = view.bytes(value).thousandths
            }
        }
        let currency = text(places, currencyField)
        if places[currencyField.rawValue] != 0, !GoalCurrencies.contain(currency) {
            note(.currencyInvalid, currencyField, at: places[currencyField.rawValue])
        }
        return thousandths.map { Amount(thousandths: $0, currency: currency.text) }
    }

    mutating func attribution(_ places: FieldPlaces, goal: OfflineGoal?) {
        let credit = places[Field.credit.rawValue]
        let model = text(places, .model)
        if credit != 0 {
            if view.kind(credit) != .number {
                refuseWhole(.nullRequest, .credit)
            } else if let share = Double(view.bytes(credit).text), share > 0, share <= 1 {
                // In order.
            } else {
                note(.creditInvalid, .credit, at: credit)
            }
        }
        guard let goal else { return }
        let isAttributed = credit != 0 || places[Field.model.rawValue] != 0
        if goal.isExternallyAttributed {
            let isComplete = credit != 0 && !model.isEmpty && model.count <= CampaignJudge.creditModelLimit
            if !isComplete { note(.attributionFieldMissing, .credit, at: nil) }
        } else if isAttributed {
            note(.goalNotExternallyAttributed, .name, at: nil)
        }
    }

    /// 0 … 999,999,999,999 with at most three decimals, written without an exponent.
    private static func isValue(_ number: Bytes) -> Bool {
        let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, parts[0].count <= 12, Bytes(rebasing: parts[0]).digits(0..<parts[0].count) != nil else {
            return false
        }
        guard parts.count == 2 else { return true }
        guard parts[1].count <= 3, let fraction = Bytes(rebasing: parts[1]).digits(0..<parts[1].count) else {
            return false
        }
        return fraction == 0 || !Bytes(rebasing: parts[0]).matches("999999999999")
    }
}

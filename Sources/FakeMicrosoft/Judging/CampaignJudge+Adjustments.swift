import ForwarderCore

/// What is asked of an adjustment.
extension CampaignJudge {
    mutating func offlineAdjustment(_ places: FieldPlaces, _ judged: inout JudgedItem) {
        let goal = self.goal(places)
        let conversionTime = time(places)
        identifiers(places, goal: goal)
        judged.id = ContentHash.of(text(places, .clickID))
        let shown = places[Field.time.rawValue]
        if shown != 0 { judged.shownID = view.range(shown) }
        adjustment(of: original(places), conversionTime: conversionTime, places, &judged)
    }

    mutating func onlineAdjustment(_ places: FieldPlaces, _ judged: inout JudgedItem) {
        let name = text(places, .name)
        if name.isEmpty {
            note(.nameMissing, .name, at: nil)
        } else if let goals = account.onlineGoals, !goals.contains(name.text) {
            note(.nameInvalid, .name, at: places[Field.name.rawValue])
        }
        let transaction = text(places, .transactionID)
        if transaction.isEmpty {
            note(.transactionIDMissing, .transactionID, at: nil)
        } else {
            judged.shownID = view.range(places[Field.transactionID.rawValue])
        }
        judged.id = ContentHash.of(transaction)
        adjustment(of: judged.id, conversionTime: nil, places, &judged)
    }

    private mutating func adjustment(
        of original: UInt64, conversionTime: Timestamp?, _ places: FieldPlaces, _ judged: inout JudgedItem
    ) {
        let type = text(places, .adjustmentType)
        let time = adjustmentTime(places)
        if let time, let conversionTime, time < conversionTime {
            note(.adjustmentEarlierThanConversion, .adjustmentTime, at: places[Field.adjustmentTime.rawValue])
        }
        let amount = amount(places, .adjustmentValue, .adjustmentCurrency)
        let value = places[Field.adjustmentValue.rawValue]
        let isRetract = type.matches("Retract")
        if isRetract {
            if value != 0 { note(.adjustmentValueNotExpected, .adjustmentValue, at: value) }
        } else if type.matches("Restate") {
            if value == 0 { note(.adjustmentValueMissing, .adjustmentValue, at: nil) }
        } else {
            note(.adjustmentTypeInvalid, .adjustmentType, at: places[Field.adjustmentType.rawValue])
        }

        var key = ContentHash()
        for part in [original, judged.name] { key.add(part) }
        let valueText = value == 0 ? Bytes(start: nil, count: 0) : view.bytes(value)
        for part in [text(places, .adjustmentTime), type, valueText] { key.add(part) }
        judged.key = key.value
        guard let time, isRetract || amount != nil else { return }
        judged.effect = .adjustment(
            Adjustment(original: original, goal: judged.name, time: time, restatement: isRetract ? nil : amount))
    }

    private mutating func adjustmentTime(_ places: FieldPlaces) -> Timestamp? {
        let text = text(places, .adjustmentTime)
        let index = places[Field.adjustmentTime.rawValue]
        guard !text.isEmpty else {
            note(.adjustmentTimeMissing, .adjustmentTime, at: nil)
            return nil
        }
        switch TimeReading(text) {
        case .unreadable: refuseWhole(.invalidDateObject, .adjustmentTime)
        case .notUTC: note(.adjustmentTimeInvalid, .adjustmentTime, at: index)
        case .utc(let time):
            if time > now { note(.adjustmentTimeInFuture, .adjustmentTime, at: index) }
            if time < now - CampaignJudge.ageLimit { note(.adjustmentTimeOutOfWindow, .adjustmentTime, at: index) }
            return time
        }
        return nil
    }
}

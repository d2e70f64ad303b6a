import Testing

@testable import ForwarderCore

@Suite struct EmailAddressTests {
    /// An input, what the Conversions API wants of it and what enhanced conversions want, with the hashes.
    struct Vector: CustomTestStringConvertible, Sendable {
        var input: String
        var address: String
        var hash: String
        var enhanced: String?
        var enhancedHash: String?

        var testDescription: String { input }
    }

    private static let john = "ec81f3ac7b2b19675bab9d54cf416f9f18cff87c97da5cca82c0f0891bc40602"

    static let vectors: [Vector] = [
        // Printed by Microsoft.
        Vector(input: "john@contoso.com", address: "john@contoso.com", hash: john),
        Vector(
            input: "test@contoso.com", address: "test@contoso.com",
            hash: "f25ad364d33972379a7a4f4df33db142205f5c40eb19cfdb2fc5aaf117e10101"),
        Vector(
            input: "test@testmail.com", address: "test@testmail.com",
            hash: "28a4da98f8812110001ab8ffacde3b38b4725a9e3570c39299fbf2d12c5aa70e"),
        // Derived from Microsoft's rules.
        Vector(input: "  John@Contoso.com \n", address: "john@contoso.com", hash: john),
        Vector(input: "jo.hn@contoso.com", address: "john@contoso.com", hash: john),
        Vector(input: "john+news@contoso.com", address: "john@contoso.com", hash: john),
        Vector(
            input: "Jane.Doe+Shopping@contoso.com", address: "janedoe@contoso.com",
            hash: "62a8040a00736e70808e43009b5c63c4f6229ced98f486d0968441b292b9858a"),
        Vector(
            input: "name+withplus@outlook.com", address: "name@outlook.com",
            hash: "62de920b6b0a90e990ad75450ee49bd908958c81185bf57489a090179dadedec"),
        Vector(
            input: "ex.ample@outlook.com", address: "example@outlook.com",
            hash: "e2e7dbfa5e7b07f94e15295f700a2a9b486799848797cf3e0ddeae7425862f93"),
        Vector(
            input: "a.b.c+x.y+z@sub.example.co.uk", address: "abc@sub.example.co.uk",
            hash: "bca1acf5ca99486201a0d3ddbaada32e1878b9af35e78b148d3c8cfbc9c7dd6f"),
        Vector(
            input: "jöhn@contoso.com", address: "jöhn@contoso.com",
            hash: "f74c96f80ab09511b0b7dea2a2e0b7924e8ac25a1664b4f2096f975c193aef7d", enhanced: "john@contoso.com",
            enhancedHash: john),
        Vector(
            input: "jo hn@contoso.com", address: "jo hn@contoso.com",
            hash: "54c27e2ebc7d70dbdfd11eb6e22ad4c66fe67584bdbbcb6b1282d0612ede86c1", enhanced: "john@contoso.com",
            enhancedHash: john),
        Vector(
            input: "JOSÉ.GARCÍA@contoso.com", address: "joségarcía@contoso.com",
            hash: "3fdf671be15a9ea83197eac089b39acf1a901203f1f84568410736f017347b2f",
            enhanced: "josegarcia@contoso.com",
            enhancedHash: "fffbbbf65e7923071a1c1842d26c2a246622935ec19d5d5e3b98c31c2fedae87"),
    ]

    private func normalized(_ input: String) -> (String?, String?) {
        withBytes(input) { bytes, arena in
            let address = EmailAddress(bytes, in: &arena)
            return (address.conversionsAPI.map(text), address.enhanced.map(text))
        }
    }

    @Test(arguments: vectors)
    func `an address is normalised by Microsoft's rules`(_ vector: Vector) {
        let (address, enhanced) = normalized(vector.input)
        #expect(address == vector.address)
        #expect(enhanced == vector.enhanced ?? vector.address)
    }

    @Test(arguments: vectors)
    func `each destination gets the hash of its form`(_ vector: Vector) {
        let shop = Shop(.capi(), .offline())
        var user = JSONWriter()
        user.value(vector.input)
        let outcomes = shop.publish(event(user: #""email":\#(user.text)"#))
        #expect(value("userData", "em", in: outcomes[0].content) == vector.hash)
        #expect(value("HashedEmailAddress", in: outcomes[1].content) == vector.enhancedHash ?? vector.hash)
    }

    /// What other forwarders make of the same addresses: trimmed and lowercased only, or hashed as given.
    @Test(arguments: [
        ("jo.hn@contoso.com", "bec482d2156c713cb33e74b9ad9d510bc1d480e3a01f4dc072e184d57ec44b95"),
        ("john+news@contoso.com", "f4e9f3e044c4f1e7d0044270bb4fbddd8e1783c30eb9d0f469cf56c36431cec0"),
        ("Jane.Doe+Shopping@contoso.com", "d4a9fb564365bc6e6acc34b5eb4c22aef2e0850fec218ed9070e66b085323e41"),
        ("name+withplus@outlook.com", "9a672970148c83629d667268c415f58573a1ffc6c0d775a60c38aa7ce118f2c7"),
        ("Jane.Doe+Shopping@contoso.com", "1c583177c55080213688159c1ada1c2d2b2779f29fcd931d4a5e316a0ce92b0d"),
        ("  John@Contoso.com \n", "fd5fb891907718a5d617ae9ac7fca43126291fc807b5fa41b598e01e4e7649f5"),
        ("test@contoso.com", "a8e34c39d390c30c3ff245256c46c7076cecb7dfcfd60f7534d1037e901fad76"),
    ])
    func `hashes that others send, or that are misprinted, are not sent`(_ input: String, _ wrong: String) {
        let (address, enhanced) = normalized(input)
        #expect(address.map(sha256) != wrong && address != nil)
        #expect(enhanced.map(sha256) != wrong && enhanced != nil)
    }

    @Test(arguments: [
        "+tag@contoso.com", "...@contoso.com", "@contoso.com", "john", "john@", "john@contoso", "john@contoso.com.",
        "john@.com", "john@contoso..com", "john@doe@contoso.com", "john@cöntoso.com", "İlker@contoso.com",
        "john@contoso.com, jane@contoso.com", "<john@contoso.com>", "john@con_toso.com", "john@10.0.0.1", " ",
        "jo\u{0}hn@contoso.com", "jo\u{200B}hn@contoso.com", "jo\u{FFFD}hn@contoso.com", "jo\u{7F}hn@contoso.com",
    ])
    func `what is no address, or would have to be guessed, is dropped and never hashed raw`(_ input: String) {
        #expect(normalized(input) == (nil, nil))
        let shop = Shop(.capi(), .offline())
        var email = JSONWriter()
        email.value(input)
        let outcomes = shop.publish(
            event(user: #""msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab","email":\#(email.text)"#))
        for outcome in outcomes {
            #expect(outcome.disposition == .owed)
            #expect(outcome.dropped == (input == " " ? [] : ["email email_not_normalizable"]))
        }
        #expect(value("userData", "em", in: outcomes[0].content) == nil)
        #expect(value("HashedEmailAddress", in: outcomes[1].content) == nil)
    }

    @Test func `white space of any kind around an address is trimmed`() {
        #expect(normalized("\u{A0}\u{2003}john@contoso.com\u{3000}").0 == "john@contoso.com")
        #expect(normalized("\t\r\njohn@contoso.com\u{B}\u{C}").0 == "john@contoso.com")
    }

    @Test func `an address that is one only without its inner spaces is one for enhanced conversions only`() {
        #expect(normalized("john@contoso. com") == (nil, "john@contoso.com"))
        #expect(normalized("jo\thn@contoso.com") == (nil, "john@contoso.com"))
        let shop = Shop(.capi(), .offline())
        let outcomes = shop.publish(event(user: #""external_id":"x","email":"john@contoso. com""#))
        #expect(outcomes[0].dropped == ["email email_not_normalizable"])
        #expect(outcomes[1].dropped == [])
        #expect(value("HashedEmailAddress", in: outcomes[1].content) == EmailAddressTests.john)
    }

    @Test func `letters and their accents fold together whichever way they are written`() {
        #expect(normalized("jo\u{308}hn@contoso.com").1 == "john@contoso.com")
        #expect(normalized("ŁUKASZ.ÅSTRÖM@contoso.com").1 == "łukaszastrom@contoso.com")
        #expect(normalized("ΆΈΉ@contoso.com").1 == "αεη@contoso.com")
        #expect(normalized("Йод@contoso.com").1 == "иод@contoso.com")
        #expect(normalized("straße@contoso.com").1 == "straße@contoso.com")
        // Nothing but accents is nobody.
        #expect(normalized("\u{301}\u{308}@contoso.com").1 == nil)
    }

    @Test(arguments: ["ec81f3ac7b2b19675bab9d54cf416f9f18cff87c97da5cca82c0f0891bc40602", john.uppercased()])
    func `a hash that the shop made is taken as it is, in lowercase`(_ given: String) {
        let shop = Shop(.capi(), .offline())
        let outcomes = shop.publish(event(user: #""email":" \#(given) ","phone":"\#(given)""#))
        #expect(value("userData", "em", in: outcomes[0].content) == EmailAddressTests.john)
        #expect(value("userData", "ph", in: outcomes[0].content) == EmailAddressTests.john)
        #expect(value("HashedEmailAddress", in: outcomes[1].content) == EmailAddressTests.john)
        #expect(value("HashedPhoneNumber", in: outcomes[1].content) == EmailAddressTests.john)
    }

    @Test(arguments: [String(john.dropLast()), john + "0", john.dropLast() + "g"])
    func `what only looks like a hash is not taken for one`(_ given: String) {
        let shop = Shop(.capi())
        #expect(
            shop.publish(event(user: #""external_id":"x","email":"\#(given)""#))[0].dropped
                == ["email email_not_normalizable"])
    }
}

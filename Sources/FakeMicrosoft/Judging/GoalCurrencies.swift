import ForwarderCore

/// The currencies that Campaign Management takes for the value of a goal.
enum GoalCurrencies {
    static func contain(_ code: Bytes) -> Bool {
        code.isCurrencyCode && codes.contains(code.text)
    }

    /// As Microsoft lists them (Microsoft Advertising API, currencies), and those that took the place of TRL and VEF.
    private static let codes = Set(
        """
        AED ALL AMD ARS AUD AZN BDT BGN BHD BND BOB BRL BWP BZD CAD CHF CLP CNY COP CRC CZK DKK DOP DZD EGP
        ETB EUR FJD GBP GEL GHS GTQ HKD HNL HRK HUF IDR ILS INR IQD ISK JMD JOD JPY KES KGS KRW KWD KZT LBP
        LKR LYD MAD MKD MNT MOP MUR MVR MWK MXN MYR NGN NIO NOK NZD OMR PAB PEN PHP PKR PLN PYG QAR RON RSD
        RUB RWF SAR SEK SGD THB TND TOP TRL TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VES VND XAF XCD XOF YER
        ZAR ZMW
        """.split { $0 == " " || $0 == "\n" }.map(String.init))
}

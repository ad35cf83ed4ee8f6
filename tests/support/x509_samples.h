// Signing requests and a certificate in DER, as base64. Their keys are thrown away.
#pragma once

namespace podium::testing {

// openssl req -new, of CN=a, with a key on P-256.
inline constexpr char kEcRequest[] =
    "MIHFMG4CAQAwDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKkg3NXGBdXVwKSY"
    "NKkHmttuQG6iLFiJUrgafMgGq7vhARaLkhSRXguvnWA7sp5wxR0B38OYC5g95jqedbUoDWigADAKBggq"
    "hkjOPQQDAgNHADBEAiA8h7x4tzWvcTFk+OwkFvsR2XPmEnzHDe16Teu/KINe6wIgYeQWZ9hr62rg9ySu"
    "pzVIROmSHiJrcaoKP6vwGio7FG8=";

// The same with an Ed25519 key.
inline constexpr char kEdRequest[] =
    "MIGLMD8CAQAwDDEKMAgGA1UEAwwBYTAqMAUGAytlcAMhAD2VzWh97/yNDCkZMzE/aV05YWpIGixqGUHl"
    "Zs4/um8NoAAwBQYDK2VwA0EAmSUCx2t8yDxsP6FovqCf+HmJ/QRGorhCrnUq0r2hg5xnlHgo7IiNkS5+"
    "OUh4Hw4TSnYqlM4dmLbUBl2AX39xDQ==";

// The same with an RSA key of 2048 bits.
inline constexpr char kRsaRequest[] =
    "MIICUTCCATkCAQAwDDEKMAgGA1UEAwwBYTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKPL"
    "DzyUKy9a7if40+QILZijBzFSnnn6cxePFSsNEm7NygLst0n0wQxHdPmNyP/bcoX9skOzfeuIA8OY570L"
    "wKJAub3cAJhMxUoHpOtTQ0FZPJYKJLH1/+74tVThdnuGf/XO64w/nZKwAbgQkqlAk765v/0BZ+fnBDho"
    "hUNbObR/eWh8PHstubwizNjo3SIupTKFMlk8R/c23msLImZ/+TIp/El7Hbt7+cKcOktExWX9ZZNeqamR"
    "ogVedsGSBWZnlCEHSnZhnu49TdEsVvBCM2OzHyBfPP6caUGgOjdiEWsXouEVqYT3xgJk1cyCbsZalXz8"
    "SPa8SVUZOnafCdQeQi8CAwEAAaAAMA0GCSqGSIb3DQEBCwUAA4IBAQA7WHNz1PHiT3+6F6U6wfVCorBw"
    "KkQJt7Q4Um0Kjnfh1XevZPzUs0y8IqeJZo7xXqvQdqXKz6bpZixpyy8EfzUgVZKZP+TDK+zzeVSX13g+"
    "CBO8sjBJDoFzPFVG79qePH+UyO2CHEkiotUpFR6hao3/hE1cXgT+39Dwcss1N4/6zYNmVXEOoo26UAvy"
    "3oe+4qsKhF5GTh5UHrm4RiITM1ulrBFB39hAj4+ik7MYH4gNv89t/izGC8VKT8v9JOEHsack9Ur6lCcE"
    "5S6RfDokpEtLdxYiHTwiii3rzBfVsdmPTju2AEIOTmrIAOMt30MtvDeY5e8sb9bf/vXrap62Hx9Q";

// The same, signed with MD5.
inline constexpr char kMd5Request[] =
    "MIICUTCCATkCAQAwDDEKMAgGA1UEAwwBYTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKPL"
    "DzyUKy9a7if40+QILZijBzFSnnn6cxePFSsNEm7NygLst0n0wQxHdPmNyP/bcoX9skOzfeuIA8OY570L"
    "wKJAub3cAJhMxUoHpOtTQ0FZPJYKJLH1/+74tVThdnuGf/XO64w/nZKwAbgQkqlAk765v/0BZ+fnBDho"
    "hUNbObR/eWh8PHstubwizNjo3SIupTKFMlk8R/c23msLImZ/+TIp/El7Hbt7+cKcOktExWX9ZZNeqamR"
    "ogVedsGSBWZnlCEHSnZhnu49TdEsVvBCM2OzHyBfPP6caUGgOjdiEWsXouEVqYT3xgJk1cyCbsZalXz8"
    "SPa8SVUZOnafCdQeQi8CAwEAAaAAMA0GCSqGSIb3DQEBBAUAA4IBAQAAsZc5jSgfyVp65HKKVIpi7Tx9"
    "+MY3BRqxLe1xNfz5ZSMDC6e0I8YbBqUSRmmGm5HD14u5woYyUBvZvw7CNew966NaNxBRllMjwzsKm9dN"
    "Tjo2f/6tKfFx8qR97t6nQ5VPKNeJDh0jt7W4jHj+7IYJDGQ3MPaz1PRV7gu1FnO1i/GkJn5rc7drsnUT"
    "RnlDNCnM6m1rtcitYp9v29F84Umdzp6P7i3uM0dnnoFSlrjylVFZGxNSqMLCcz06N8Uk4BrkMYLswziG"
    "LDfOqZoZXidnZDWSEVZw5NAlUwAKdPt5/+fEX8rgsa9df5f3xXfWWW1P/8kUzDsfu5ubYyU+mMR1";

// The same with an RSA key of 512 bits.
inline constexpr char kShortRsaRequest[] =
    "MIHFMHECAQAwDDEKMAgGA1UEAwwBYTBcMA0GCSqGSIb3DQEBAQUAA0sAMEgCQQDfq9W/W+sIkARE4/z6"
    "+VpE9VMwFXCB9nH8tShcV2tMk0tsIfauLZQ/CcIpvh4OIJEtj51Px5tqswf3qOoe10r7AgMBAAGgADAN"
    "BgkqhkiG9w0BAQsFAANBAE3rdDifAskAwJrGcwbu+Enq7vnnadDTzlel9esSauZCxJv2NZ/3OQIEvFhw"
    "APHH8cqqdBuYXQ5iHclrtmcNeCU=";

// The same with a key on secp256k1.
inline constexpr char kOtherCurveRequest[] =
    "MIHDMGsCAQAwDDEKMAgGA1UEAwwBYTBWMBAGByqGSM49AgEGBSuBBAAKA0IABLXNwHRypUNm14Kcl1qT"
    "sB8h8g5/qPB2TqMOor4X2zMyWwI8Ama54VZY/+eNxxt4pKRt7DRR479Cw71Wjx50fUqgADAKBggqhkjO"
    "PQQDAgNIADBFAiBTPND5/900aZa1AO8DkJgQcA2siUswAOTjNspcJ8/y6QIhAOWJKkg7r9hUnjLn+gXm"
    "2IpFSCE1j2RqqY0D+AjCGESj";

// openssl req -new -x509, of CN=a.
inline constexpr char kCertificate[] =
    "MIIBbjCCARWgAwIBAgIUMwDVxq5w9+YodEoCIcmfFEpZi4YwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwB"
    "YTAgFw0yNjExMjIxMDQ3MTdaGA8yMTI2MTAyOTEwNDcxN1owDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49"
    "AgEGCCqGSM49AwEHA0IABKkg3NXGBdXVwKSYNKkHmttuQG6iLFiJUrgafMgGq7vhARaLkhSRXguvnWA7"
    "sp5wxR0B38OYC5g95jqedbUoDWijUzBRMB0GA1UdDgQWBBQuKe3cYK0xmiRhuimCBzz9JQQiZzAfBgNV"
    "HSMEGDAWgBQuKe3cYK0xmiRhuimCBzz9JQQiZzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cA"
    "MEQCIEXIuBCNWebTfLHnWRBSDPNMw5ubLF+2cFBOt6QmLlB9AiBFuYtswFOLyxpUd3jfPmOkh4nfQ/eN"
    "ajBIEHc6bMsiog==";

// The same with a key on secp256k1.
inline constexpr char kOtherCurveCertificate[] =
    "MIIBbDCCARKgAwIBAgIUOwn4lZ8W77V3qN8711ju+090WoYwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwB"
    "YTAgFw0yNjExMjIxMTE0NDJaGA8yMTI2MTAyOTExMTQ0MlowDDEKMAgGA1UEAwwBYTBWMBAGByqGSM49"
    "AgEGBSuBBAAKA0IABLXNwHRypUNm14Kcl1qTsB8h8g5/qPB2TqMOor4X2zMyWwI8Ama54VZY/+eNxxt4"
    "pKRt7DRR479Cw71Wjx50fUqjUzBRMB0GA1UdDgQWBBQX8aSQF5CPf91bYRKSB5rzOzkDLzAfBgNVHSME"
    "GDAWgBQX8aSQF5CPf91bYRKSB5rzOzkDLzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUC"
    "IAmKgFcoG127orh9eBn9ySts5lM4K67P93NF1YKMTaSpAiEAk1OzAKsMQahBOXnhcsdBvuWqX27Of9+4"
    "ZVCanLxjfLY=";

}  // namespace podium::testing

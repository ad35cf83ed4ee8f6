#include "api/quantity.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace podium::api {
namespace {

using Format = Quantity::Format;
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt64 = std::numeric_limits<int64_t>::min();

TEST(QuantityTest, CanonicalText) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"0", "0"},
      {"0Ki", "0"},
      {"-0", "0"},
      {"00.00e5", "0"},
      {"1", "1"},
      {"+1", "1"},
      {"-1", "-1"},
      {"001", "1"},
      {"1.", "1"},
      {".5", "500m"},
      {"1.5", "1500m"},
      {"1.500", "1500m"},
      {"1000", "1k"},
      {"1024", "1024"},
      {"1000m", "1"},
      {"1001m", "1001m"},
      {"10000k", "10M"},
      {"1000000G", "1P"},
      {"1.5G", "1500M"},
      {"12.3E", "12300P"},
      {"100E", "100E"},
      {"1000E", "1e21"},
      {"1n", "1n"},
      {"0.1n", "1n"},
      {"-0.1n", "-1n"},
      {"1.0000000001", "1000000001n"},
      {"999999999n", "999999999n"},
      {"1000000000n", "1"},
      {"5u", "5u"},
      // BinarySI: whole multiples of 1024 keep the family.
      {"1Ki", "1Ki"},
      {"1024Ki", "1Mi"},
      {"1025Ki", "1025Ki"},
      {"1.5Gi", "1536Mi"},
      {"0.5Gi", "512Mi"},
      {"1.5Ki", "1536"},
      {"0.5Ki", "512"},
      {".001Ki", "1024m"},
      {".000001Ki", "1024u"},
      {".000000001Ki", "1024n"},
      {".000000000001Ki", "2n"},
      {"1.0009765626Ki", "1025000000103n"},
      {"-1Ki", "-1Ki"},
      {"-1.5Gi", "-1536Mi"},
      {"-9.5000000001Gi", "-10200547328107374183n"},
      {"7Ei", "7Ei"},
      {"8Ei", "9223372036854775807"},
      {"-20Ei", "-9223372036854775807"},
      {"99999999999999999999999999999999999999999Ki", "9223372036854775807"},
      // DecimalExponent.
      {"1e3", "1e3"},
      {"1E3", "1e3"},
      {"1e+3", "1e3"},
      {"1e0", "1"},
      {"1e4", "10e3"},
      {"1.5e3", "1500"},
      {"1e-3", "1e-3"},
      {"1e-9", "1e-9"},
      {"1e-10", "1e-9"},
      {"1e-2000000000", "1e-9"},
      {"0e2000000000", "0"},
      // Above 2^63 only BinarySI is capped.
      {"9223372036854775808", "9223372036854775808"},
      {"18446744073709551616", "18446744073709551616"},
      {"1e28", "10e27"},
      {"1e29", "100e27"},
      {"1e30", "100e27"},
      {"-1e2000000000", "-100e27"},
      // No number at all is zero, as upstream.
      {"-", "0"},
      {".", "0"},
      {"Mi", "0"},
      {"e3", "0"},
  };
  for (const Case& c : cases) {
    Result<Quantity> quantity = Quantity::Parse(c.text);
    ASSERT_TRUE(quantity.ok()) << c.text;
    EXPECT_EQ(quantity->String(), c.want) << c.text;
  }
}

TEST(QuantityTest, Formats) {
  EXPECT_EQ(Quantity::Must("1").format(), Format::kDecimalSI);
  EXPECT_EQ(Quantity::Must("1k").format(), Format::kDecimalSI);
  EXPECT_EQ(Quantity::Must("1Ki").format(), Format::kBinarySI);
  EXPECT_EQ(Quantity::Must("1e3").format(), Format::kDecimalExponent);
  EXPECT_EQ(Quantity::Must("1E3").format(), Format::kDecimalExponent);
  EXPECT_EQ(Quantity::Must("0.0001Ki").format(), Format::kDecimalSI);
}

TEST(QuantityTest, ParseErrors) {
  constexpr const char* kFormat =
      "quantities must match the regular expression "
      "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  constexpr const char* kSuffix = "unable to parse quantity's suffix";
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", kFormat},     {"1.1.M", kFormat},        {"1+1.0M", kFormat},
      {"aoeu", kFormat}, {" 1", kFormat},           {"1 ", kFormat},
      {"1\n", kFormat},  {"--1", kSuffix},          {"1e3x", kFormat},
      {"1Mb", kFormat},  {"0.1am", kFormat},        {"0.1mi", kSuffix},
      {".5i", kSuffix},  {"1i", kSuffix},           {"-3.01i", kSuffix},
      {"1K", kSuffix},   {"1ki", kSuffix},          {"1KI", kFormat},
      {"1e", kSuffix},   {"-3.01e-", kSuffix},      {"1e+-3", kFormat},
      {"1Mi5", kSuffix}, {"1-5", kSuffix},          {"1EE3", kSuffix},
      {"1mm", kSuffix},  {"1e4294967297", kSuffix}, {"1e2147483648", kSuffix},
  };
  for (const Case& c : cases) {
    Result<Quantity> quantity = Quantity::Parse(c.text);
    ASSERT_FALSE(quantity.ok()) << c.text;
    EXPECT_EQ(quantity.error().message(), c.want) << c.text;
    EXPECT_EQ(quantity.error().code(), Code::kInvalidArgument);
  }
}

TEST(QuantityTest, BinaryTextOfSmallOrFractionalValuesIsDecimal) {
  EXPECT_EQ(Quantity::FromInt(1023, Format::kBinarySI).String(), "1023");
  EXPECT_EQ(Quantity::FromInt(1024, Format::kBinarySI).String(), "1Ki");
  EXPECT_EQ(Quantity::FromInt(1000, Format::kBinarySI).String(), "1k");
  EXPECT_EQ(Quantity::FromInt(-1024, Format::kBinarySI).String(), "-1Ki");
  EXPECT_EQ(Quantity::FromMilli(1024500, Format::kBinarySI).String(), "1024500m");
  Quantity sum = Quantity::Must("1Ki");
  sum.Add(Quantity::Must("1m"));
  EXPECT_EQ(sum.String(), "1024001m");
}

TEST(QuantityTest, SuffixesEnd) {
  Quantity big = Quantity::Must("4Ei");
  big.Add(big);
  EXPECT_EQ(big.String(), "8Ei");
  big.Mul(1024);
  EXPECT_EQ(big.String(), "8192Ei");
  EXPECT_EQ(Quantity::FromScaled(1, 21).String(), "1e21");
  EXPECT_EQ(Quantity::FromScaled(kMaxInt64, 1).String(), "92233720368547758070");
}

TEST(QuantityTest, ScaledValues) {
  struct Case {
    const char* text;
    int64_t value;
    int64_t milli;
    int64_t kilo;
  };
  const Case cases[] = {
      {"0", 0, 0, 0},
      {"1", 1, 1000, 1},
      {"1n", 1, 1, 1},
      {"-1n", -1, -1, -1},
      {"1500m", 2, 1500, 1},
      {"-1500m", -2, -1500, -1},
      {"1k", 1000, 1000000, 1},
      {"1001", 1001, 1001000, 2},
      {"9223372036854775807", kMaxInt64, kMaxInt64, 9223372036854776},
      {"9223372036854775808", kMaxInt64, kMaxInt64, 9223372036854776},
      {"-9223372036854775808", kMinInt64, kMinInt64, -9223372036854776},
      {"100E", kMaxInt64, kMaxInt64, 100000000000000000},
      {"-1e28", kMinInt64, kMinInt64, kMinInt64},
      {"-9.5Gi", -10200547328, -10200547328000, -10200548},
  };
  for (const Case& c : cases) {
    Quantity quantity = Quantity::Must(c.text);
    EXPECT_EQ(quantity.Value(), c.value) << c.text;
    EXPECT_EQ(quantity.MilliValue(), c.milli) << c.text;
    EXPECT_EQ(quantity.ScaledValue(Quantity::kKilo), c.kilo) << c.text;
  }
  EXPECT_EQ(Quantity::Must("1").ScaledValue(-12), 1'000'000'000'000);
  EXPECT_EQ(Quantity::Must("1").ScaledValue(100), 1);
  EXPECT_EQ(Quantity::Must("1").ScaledValue(-100), kMaxInt64);
}

TEST(QuantityTest, RoundUp) {
  struct Case {
    const char* text;
    int scale;
    bool exact;
    const char* want;
  };
  const Case cases[] = {
      {"1", Quantity::kMilli, true, "1"},
      {"1n", Quantity::kMilli, false, "1m"},
      {"-1n", Quantity::kMilli, false, "-1m"},
      {"1001u", Quantity::kMilli, false, "2m"},
      {"9", 1, false, "10"},
      {"-9", 1, false, "-10"},
      {"1Ki", Quantity::kMilli, true, "1Ki"},
      {"5n", Quantity::kNano, true, "5n"},
      {"5n", -12, true, "5n"},
      {"1500m", Quantity::kOne, false, "2"},
      {"1e28", Quantity::kExa, true, "10e27"},
      {"1", 100, false, "100e27"},
  };
  for (const Case& c : cases) {
    Quantity quantity = Quantity::Must(c.text);
    EXPECT_EQ(quantity.RoundUp(c.scale), c.exact) << c.text;
    EXPECT_EQ(quantity.String(), c.want) << c.text;
  }
}

TEST(QuantityTest, Arithmetic) {
  Quantity sum;
  sum.Add(Quantity::Must("1Gi"));
  EXPECT_EQ(sum.format(), Format::kBinarySI);
  sum.Add(Quantity::Must("1G"));
  EXPECT_EQ(sum.String(), "2073741824");
  EXPECT_EQ(sum.format(), Format::kBinarySI);
  sum.Sub(Quantity::Must("1G"));
  EXPECT_EQ(sum.String(), "1Gi");
  Quantity difference;
  difference.Sub(Quantity::Must("1e3"));
  EXPECT_EQ(difference.String(), "-1e3");
  difference.Neg();
  EXPECT_EQ(difference.String(), "1e3");
  difference.Mul(-2);
  EXPECT_EQ(difference.String(), "-2e3");

  Quantity max = Quantity::FromInt(kMaxInt64);
  max.Add(max);
  EXPECT_EQ(max.String(), "18446744073709551614");
  Quantity cap = Quantity::Must("1e29");
  cap.Add(cap);
  EXPECT_EQ(cap.String(), "100e27");
  cap.Mul(kMinInt64);
  EXPECT_EQ(cap.String(), "-100e27");
  cap.Sub(Quantity::Must("1e29"));
  EXPECT_EQ(cap.String(), "-100e27");
}

TEST(QuantityTest, Comparison) {
  EXPECT_EQ(Quantity::Must("1000m"), Quantity::Must("1"));
  EXPECT_EQ(Quantity::Must("1Ki"), Quantity::Must("1024"));
  EXPECT_EQ(Quantity::Must("1e3"), Quantity::Must("1k"));
  EXPECT_LT(Quantity::Must("999m"), Quantity::Must("1"));
  EXPECT_GT(Quantity::Must("1G"), Quantity::Must("-1Gi"));
  EXPECT_EQ(Quantity::Must("-5").Sign(), -1);
  EXPECT_EQ(Quantity::Must("5").Sign(), 1);
  EXPECT_EQ(Quantity().Sign(), 0);
  EXPECT_TRUE(Quantity::Must("0Gi").IsZero());
  EXPECT_FALSE(Quantity::Must("1n").IsZero());
  EXPECT_EQ(Quantity::Must("5").CmpInt(6), -1);
  EXPECT_EQ(Quantity::Must("5000m").CmpInt(5), 0);
}

TEST(QuantityTest, AsDouble) {
  EXPECT_EQ(Quantity::Must("1500m").AsDouble(), 1.5);
  EXPECT_EQ(Quantity::Must("-1Gi").AsDouble(), -1073741824.0);
  EXPECT_EQ(Quantity::Must("1e20").AsDouble(), 1e20);
  EXPECT_DOUBLE_EQ(Quantity::Must("-9.5000000001Gi").AsDouble(), -1.0200547328107376e+10);
}

// Decimal arithmetic on digit strings, as one does it on paper: slow, and free of the tricks of
// the code under test.
struct Paper {
  // Digits, the most significant first.
  static std::string Strip(std::string digits) {
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
  }
  static std::string Add(std::string a, std::string b) {
    if (a.size() < b.size()) a.swap(b);
    b.insert(0, a.size() - b.size(), '0');
    int carry = 0;
    for (size_t i = a.size(); i-- > 0;) {
      int sum = a[i] - '0' + b[i] - '0' + carry;
      a[i] = static_cast<char>('0' + sum % 10);
      carry = sum / 10;
    }
    return Strip((carry ? "1" : "") + a);
  }
  static std::string Double(const std::string& a) { return Add(a, a); }
  static bool Less(const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};

// whole.fraction * 10^ten * 2^two in nano units, rounded up and capped.
std::string PaperNanos(const std::string& whole, const std::string& fraction, int ten, int two) {
  std::string digits = Paper::Strip(whole + fraction);
  if (digits.empty()) return "";
  for (int i = 0; i < two; ++i) digits = Paper::Double(digits);
  int shift = ten + 9 - static_cast<int>(fraction.size());
  std::string rest;
  if (shift >= 0) {
    digits.append(static_cast<size_t>(shift), '0');
  } else {
    auto cut = static_cast<size_t>(-shift);
    if (digits.size() < cut) digits.insert(0, cut - digits.size(), '0');
    rest = digits.substr(digits.size() - cut);
    digits = Paper::Strip(digits.substr(0, digits.size() - cut));
  }
  if (rest.find_first_not_of('0') != std::string::npos) digits = Paper::Add(digits, "1");
  std::string cap = two > 0 ? "9223372036854775807000000000" : "1" + std::string(38, '0');
  return Paper::Less(cap, digits) ? cap : digits;
}

struct Suffix {
  const char* text;
  int ten;
  int two;
};
constexpr Suffix kSuffixes[] = {
    {"n", -9, 0},   {"u", -6, 0},    {"m", -3, 0},     {"", 0, 0},    {"k", 3, 0},   {"M", 6, 0},
    {"G", 9, 0},    {"T", 12, 0},    {"P", 15, 0},     {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
    {"Gi", 0, 30},  {"Ti", 0, 40},   {"Pi", 0, 50},    {"Ei", 0, 60}, {"e5", 5, 0},  {"e-7", -7, 0},
    {"E12", 12, 0}, {"e+25", 25, 0}, {"e-40", -40, 0},
};

rc::Gen<std::string> Digits(int max) {
  return rc::gen::mapcat(rc::gen::inRange(0, max), [](int size) {
    return rc::gen::container<std::string>(static_cast<size_t>(size),
                                           rc::gen::elementOf(std::string("0001234567899")));
  });
}

// The quantity's value in nano units by its text, which is read on paper.
std::string NanosOfText(const Quantity& quantity) {
  std::string text = quantity.String();
  if (text.starts_with('-')) text.erase(0, 1);
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string suffix = text.substr(digits);
  for (const Suffix& s : kSuffixes) {
    if (suffix == s.text) {
      // No cap: what is printed is there.
      std::string nanos = Paper::Strip(text.substr(0, digits));
      for (int i = 0; i < s.two; ++i) nanos = Paper::Double(nanos);
      return nanos + std::string(static_cast<size_t>(9 + s.ten), '0');
    }
  }
  int exponent = std::stoi(suffix.substr(1));
  return text.substr(0, digits) + std::string(static_cast<size_t>(9 + exponent), '0');
}

RC_GTEST_PROP(QuantityProperty, ParseAndPrintAgreeWithPaper, ()) {
  std::string whole = *Digits(45);
  std::string fraction = *Digits(45);
  bool negative = *rc::gen::arbitrary<bool>();
  Suffix suffix =
      *rc::gen::elementOf(std::vector<Suffix>(std::begin(kSuffixes), std::end(kSuffixes)));
  std::string text = (negative ? "-" : "") + whole + "." + fraction + suffix.text;
  Result<Quantity> quantity = Quantity::Parse(text);
  RC_ASSERT(quantity.ok());
  std::string want = PaperNanos(whole, fraction, suffix.ten, suffix.two);
  RC_LOG() << text << " -> " << quantity->String() << "\n";
  RC_ASSERT(quantity->IsZero() == want.empty());
  if (want.empty()) return;
  RC_ASSERT((quantity->Sign() < 0) == negative);
  RC_ASSERT(NanosOfText(*quantity) == want);
}

RC_GTEST_PROP(QuantityProperty, CanonicalTextIsAFixpoint, (int64_t value, bool negative)) {
  int scale = *rc::gen::inRange(-9, 25);
  auto format = *rc::gen::element(Format::kDecimalSI, Format::kBinarySI, Format::kDecimalExponent);
  Quantity quantity = Quantity::FromScaled(value, scale, format);
  // Sums may exceed what BinarySI text can say.
  Quantity limit = Quantity::FromInt(kMaxInt64);
  if (quantity.Sign() < 0) limit.Neg();
  RC_PRE(format != Format::kBinarySI || quantity.Sign() * quantity.Cmp(limit) <= 0);
  if (negative) quantity.Neg();
  std::string text = quantity.String();
  Quantity again = Quantity::Must(text);
  RC_ASSERT(again == quantity);
  // 10000 in BinarySI has no suffix to tell the family, and is 10k once it was read back.
  if (format == Format::kBinarySI) text = again.String();
  RC_ASSERT(Quantity::Must(text).String() == text);
}

RC_GTEST_PROP(QuantityProperty, SumsAgreeWithPaper, (uint64_t a, uint64_t b)) {
  Quantity sum = Quantity::Must(std::to_string(a) + "u");
  sum.Add(Quantity::Must(std::to_string(b) + "u"));
  RC_ASSERT(sum == Quantity::Must(Paper::Add(std::to_string(a), std::to_string(b)) + "u"));
  Quantity back = sum;
  back.Sub(Quantity::Must(std::to_string(b) + "u"));
  RC_ASSERT(back == Quantity::Must(std::to_string(a) + "u"));
  RC_ASSERT(sum >= back);
}

TEST(QuantityLeafTest, Json) {
  using Form = reflect::JsonScalar::Form;
  const reflect::Leaf& leaf = *reflect::TypeOf<Quantity>().leaf;
  struct Case {
    Form form;
    const char* text;
    const char* want;  // null: an error
  };
  const Case cases[] = {
      {Form::kString, "1.5Gi", "\"1536Mi\""},
      {Form::kString, " 5\t", "\"5\""},
      {Form::kNumber, "1.5", "\"1500m\""},
      {Form::kNumber, "1e3", "\"1e3\""},
      {Form::kNull, "", "\"0\""},
      {Form::kTrue, "", nullptr},
      {Form::kContainer, "", nullptr},
      {Form::kString, "  ", nullptr},
      {Form::kString, "1x", nullptr},
  };
  for (const Case& c : cases) {
    Quantity quantity = Quantity::Must("7");
    std::string problem;
    bool ok = leaf.from_json({c.form, c.text}, &quantity, &problem);
    ASSERT_EQ(ok, c.want != nullptr) << c.text;
    EXPECT_EQ(problem.empty(), ok) << c.text;
    if (!ok) continue;
    std::string json;
    leaf.to_json(&quantity, &json);
    EXPECT_EQ(json, c.want) << c.text;
  }
}

TEST(QuantityLeafTest, Protobuf) {
  const reflect::Leaf& leaf = *kQuantityType.leaf;
  Quantity quantity = Quantity::Must("1.5Gi");
  std::string bytes;
  leaf.to_proto(&quantity, &bytes);
  EXPECT_EQ(bytes,
            "\x0a\x06"
            "1536Mi");
  Quantity read;
  std::string problem;
  ASSERT_TRUE(leaf.from_proto(bytes, &read, &problem));
  EXPECT_EQ(read, quantity);
  EXPECT_EQ(read.format(), Format::kBinarySI);
  ASSERT_TRUE(leaf.from_proto("", &read, &problem));
  EXPECT_TRUE(read.IsZero());
  // An unknown field is passed over.
  ASSERT_TRUE(
      leaf.from_proto("\x10\x05\x0a\x01"
                      "7",
                      &read, &problem));
  EXPECT_EQ(read.Value(), 7);
  for (std::string_view bad : {"\n\a1536Mi", "\n", "\n\x01x", "\x0b", "\n\xff\xff"}) {
    problem.clear();
    EXPECT_FALSE(leaf.from_proto(bad, &read, &problem)) << bad;
    EXPECT_FALSE(problem.empty());
  }
}

}  // namespace
}  // namespace podium::api

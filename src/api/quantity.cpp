#include "api/quantity.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>

#include "api/message_reader.h"
#include "base/ascii.h"
#include "reflect/ops.h"

namespace podium::api {
namespace {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

constexpr int kNanoDigits = 9;
constexpr int kMaxPower = 38;

constexpr UInt128 PowerOfTen(int exponent) {
  UInt128 power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

constexpr UInt128 kNanosPerUnit = PowerOfTen(kNanoDigits);
// The cap, in nano units: 10^29 units.
constexpr UInt128 kMaxNanos = PowerOfTen(kMaxPower);
constexpr UInt128 kMaxBinaryNanos =
    static_cast<UInt128>(std::numeric_limits<int64_t>::max()) * kNanosPerUnit;

UInt128 Magnitude(Int128 value) {
  return value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

Int128 WithSign(UInt128 magnitude, bool negative) {
  auto value = static_cast<Int128>(std::min(magnitude, kMaxNanos));
  return negative ? -value : value;
}

UInt128 SaturatingProduct(UInt128 a, UInt128 b) {
  if (a != 0 && b > kMaxNanos / a) return kMaxNanos;
  return a * b;
}

// value * 10 + digit, at most the cap.
UInt128 AppendDigit(UInt128 value, unsigned digit) {
  return value > kMaxNanos / 10 ? kMaxNanos : std::min(value * 10 + digit, kMaxNanos);
}

UInt128 DivideAwayFromZero(UInt128 dividend, UInt128 divisor) {
  return dividend / divisor + (dividend % divisor != 0 ? 1 : 0);
}

constexpr std::string_view kFormatWrong =
    "quantities must match the regular expression "
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
constexpr std::string_view kSuffixWrong = "unable to parse quantity's suffix";

// Takes the leading digits off *text.
std::string_view TakeDigits(std::string_view* text) {
  size_t size = 0;
  while (size < text->size() && IsDigit((*text)[size])) ++size;
  std::string_view digits = text->substr(0, size);
  text->remove_prefix(size);
  return digits;
}

struct Parts {
  bool negative = false;
  std::string_view whole;     // digits without leading zeros; may be empty
  std::string_view fraction;  // digits; may be empty
  std::string_view suffix;
};

// False when the text is not [+-]digits[.digits] and then letters, a sign and digits.
bool Split(std::string_view text, Parts* parts) {
  if (text.empty()) return false;
  if (text.front() == '-' || text.front() == '+') {
    parts->negative = text.front() == '-';
    text.remove_prefix(1);
  }
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  parts->whole = TakeDigits(&text);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    parts->fraction = TakeDigits(&text);
  }
  parts->suffix = text;
  text.remove_prefix(std::min(text.find_first_not_of("eEinumkKMGTP"), text.size()));
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  TakeDigits(&text);
  return text.empty();
}

struct Unit {
  Quantity::Format format = Quantity::Format::kDecimalSI;
  int64_t exponent = 0;  // of 2 for kBinarySI, else of 10
};

constexpr std::string_view kDecimalSuffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
constexpr std::string_view kBinarySuffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

bool ParseSuffix(std::string_view suffix, Unit* unit) {
  for (int i = 0; i < static_cast<int>(std::size(kDecimalSuffixes)); ++i) {
    if (suffix == kDecimalSuffixes[i]) {
      *unit = {Quantity::Format::kDecimalSI, 3 * i - kNanoDigits};
      return true;
    }
  }
  for (int i = 1; i < static_cast<int>(std::size(kBinarySuffixes)); ++i) {
    if (suffix == kBinarySuffixes[i]) {
      *unit = {Quantity::Format::kBinarySI, int64_t{10} * i};
      return true;
    }
  }
  if (suffix.front() != 'e' && suffix.front() != 'E') return false;
  suffix.remove_prefix(1);
  if (suffix.starts_with('+')) suffix.remove_prefix(1);
  // Upstream takes larger exponents modulo 2^32, which nobody can mean.
  int32_t exponent = 0;
  auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), exponent);
  if (error != std::errc() || end != suffix.data() + suffix.size()) return false;
  *unit = {Quantity::Format::kDecimalExponent, exponent};
  return true;
}

// whole.fraction * 10^exponent in nano units, rounded up.
UInt128 DecimalNanos(std::string_view whole, std::string_view fraction, int64_t exponent) {
  // The digits before this position (counted from the first of whole) are nano units and up.
  int64_t point = static_cast<int64_t>(whole.size()) + exponent + kNanoDigits;
  UInt128 nanos = 0;
  bool inexact = false;
  int64_t position = 0;
  for (std::string_view digits : {whole, fraction}) {
    for (char c : digits) {
      if (position++ >= point) {
        inexact |= c != '0';
      } else {
        nanos = AppendDigit(nanos, static_cast<unsigned>(c - '0'));
      }
    }
  }
  // The zeros between the last digit and the point.
  for (; position < point && nanos != 0 && nanos < kMaxNanos; ++position) {
    nanos = AppendDigit(nanos, 0);
  }
  return nanos + (inexact ? 1 : 0);
}

// whole.fraction * 2^exponent in nano units, rounded up. `exponent` is at most 60.
UInt128 BinaryNanos(std::string_view whole, std::string_view fraction, int64_t exponent) {
  UInt128 unit = kNanosPerUnit << exponent;
  // unit * 0.fraction: each step, from the last digit on, adds a digit in front of what is there.
  // Cutting off below a nano unit at each step loses nothing, as long as it is noted.
  UInt128 nanos = 0;
  bool inexact = false;
  for (size_t i = fraction.size(); i-- > 0;) {
    nanos += unit * static_cast<unsigned>(fraction[i] - '0');
    inexact |= nanos % 10 != 0;
    nanos /= 10;
  }
  UInt128 units = 0;
  for (char c : whole) {
    units = std::min(units * 10 + static_cast<unsigned>(c - '0'), kMaxBinaryNanos);
  }
  return std::min(SaturatingProduct(unit, units) + nanos + (inexact ? 1 : 0), kMaxBinaryNanos);
}

void AppendUnsigned(UInt128 value, std::string* out) {
  constexpr uint64_t kChunk = 10'000'000'000'000'000'000u;  // 10^19
  char buffer[20];
  if (value <= std::numeric_limits<uint64_t>::max()) {
    char* end = std::to_chars(buffer, std::end(buffer), static_cast<uint64_t>(value)).ptr;
    out->append(buffer, end);
    return;
  }
  AppendUnsigned(value / kChunk, out);
  char* end = std::to_chars(buffer, std::end(buffer), static_cast<uint64_t>(value % kChunk)).ptr;
  out->append(19 - static_cast<size_t>(end - buffer), '0');
  out->append(buffer, end);
}

// How many times `value`, not 0, can be divided by the factor, at most `limit` times; divides it.
template <class Integer>
int DivideOut(Integer* value, unsigned factor, int limit) {
  int times = 0;
  while (times < limit && *value % factor == 0) {
    *value /= factor;
    ++times;
  }
  return times;
}

// The common values fit one machine word, whose divisions are ten times as fast.
int DivideOutFast(UInt128* value, unsigned factor, int limit) {
  if (*value > std::numeric_limits<uint64_t>::max()) return DivideOut(value, factor, limit);
  auto small = static_cast<uint64_t>(*value);
  int times = DivideOut(&small, factor, limit);
  *value = small;
  return times;
}

void AppendBinary(UInt128 units, std::string* out) {
  int power = DivideOutFast(&units, 1024, std::size(kBinarySuffixes) - 1);
  AppendUnsigned(units, out);
  out->append(kBinarySuffixes[power]);
}

void AppendDecimal(UInt128 nanos, Quantity::Format format, std::string* out) {
  UInt128 mantissa = nanos;
  int exponent = -kNanoDigits;
  if (nanos % kNanosPerUnit == 0) {
    mantissa = nanos / kNanosPerUnit;
    exponent = 0;
  }
  exponent += 3 * DivideOutFast(&mantissa, 1000, kMaxPower);
  AppendUnsigned(mantissa, out);
  if (exponent == 0) return;
  auto index = static_cast<size_t>(exponent + kNanoDigits) / 3;
  if (format == Quantity::Format::kDecimalSI && index < std::size(kDecimalSuffixes)) {
    out->append(kDecimalSuffixes[index]);
    return;
  }
  out->push_back('e');
  out->append(std::to_string(exponent));
}

}  // namespace

struct QuantityBits {
  static Int128 Get(const Quantity& quantity) {
    return static_cast<Int128>(static_cast<UInt128>(static_cast<uint64_t>(quantity.high_)) << 64 |
                               quantity.low_);
  }
  static void Set(Int128 nanos, Quantity* quantity) {
    quantity->low_ = static_cast<uint64_t>(nanos);
    quantity->high_ = static_cast<int64_t>(nanos >> 64);
  }
};

Result<Quantity> Quantity::Parse(std::string_view text) {
  Parts parts;
  if (!Split(text, &parts)) return Error(Code::kInvalidArgument, std::string(kFormatWrong));
  Unit unit;
  if (!ParseSuffix(parts.suffix, &unit)) {
    return Error(Code::kInvalidArgument, std::string(kSuffixWrong));
  }
  Quantity quantity;
  quantity.format_ = unit.format;
  UInt128 nanos;
  if (unit.format == Format::kBinarySI) {
    nanos = BinaryNanos(parts.whole, parts.fraction, unit.exponent);
    // What would be written as DecimalSI anyway.
    if (nanos != 0 && nanos < kNanosPerUnit) quantity.format_ = Format::kDecimalSI;
  } else {
    nanos = DecimalNanos(parts.whole, parts.fraction, unit.exponent);
  }
  QuantityBits::Set(WithSign(nanos, parts.negative), &quantity);
  return quantity;
}

Quantity Quantity::Must(std::string_view text) {
  Result<Quantity> quantity = Parse(text);
  assert(quantity.ok());
  return *quantity;
}

Quantity Quantity::FromInt(int64_t value, Format format) { return FromScaled(value, 0, format); }

Quantity Quantity::FromMilli(int64_t milli, Format format) {
  return FromScaled(milli, kMilli, format);
}

Quantity Quantity::FromScaled(int64_t value, int scale, Format format) {
  assert(scale >= kNano);
  UInt128 unit = PowerOfTen(std::min(scale + kNanoDigits, kMaxPower));
  Quantity quantity;
  quantity.format_ = format;
  QuantityBits::Set(WithSign(SaturatingProduct(Magnitude(value), unit), value < 0), &quantity);
  return quantity;
}

std::string Quantity::String() const {
  std::string out;
  AppendTo(&out);
  return out;
}

void Quantity::AppendTo(std::string* out) const {
  if (IsZero()) {
    out->push_back('0');
    return;
  }
  if (Sign() < 0) out->push_back('-');
  UInt128 nanos = Magnitude(QuantityBits::Get(*this));
  if (format_ != Format::kBinarySI) return AppendDecimal(nanos, format_, out);
  if (nanos < 1024 * kNanosPerUnit || nanos % kNanosPerUnit != 0) {
    return AppendDecimal(nanos, Format::kDecimalSI, out);
  }
  AppendBinary(nanos / kNanosPerUnit, out);
}

int Quantity::Cmp(const Quantity& other) const {
  if (high_ != other.high_) return high_ < other.high_ ? -1 : 1;
  return low_ < other.low_ ? -1 : low_ > other.low_ ? 1 : 0;
}

void Quantity::Add(const Quantity& other) {
  if (IsZero()) format_ = other.format_;
  Int128 a = QuantityBits::Get(*this);
  Int128 b = QuantityBits::Get(other);
  // Two capped values of one sign can overflow, but their magnitudes cannot.
  bool same_sign = (a < 0) == (b < 0);
  QuantityBits::Set(same_sign ? WithSign(Magnitude(a) + Magnitude(b), a < 0) : a + b, this);
}

void Quantity::Sub(const Quantity& other) {
  Quantity negated = other;
  negated.Neg();
  Add(negated);
}

void Quantity::Neg() { QuantityBits::Set(-QuantityBits::Get(*this), this); }

void Quantity::Mul(int64_t factor) {
  Int128 nanos = QuantityBits::Get(*this);
  QuantityBits::Set(
      WithSign(SaturatingProduct(Magnitude(nanos), Magnitude(factor)), (nanos < 0) != (factor < 0)),
      this);
}

int64_t Quantity::ScaledValue(int scale) const {
  if (IsZero()) return 0;
  UInt128 nanos = Magnitude(QuantityBits::Get(*this));
  bool negative = Sign() < 0;
  int power = scale + kNanoDigits;
  UInt128 scaled = power >= 0 ? DivideAwayFromZero(nanos, PowerOfTen(std::min(power, kMaxPower)))
                              : SaturatingProduct(nanos, PowerOfTen(std::min(-power, kMaxPower)));
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  if (scaled > static_cast<uint64_t>(kMax)) return negative ? kMin : kMax;
  auto value = static_cast<int64_t>(scaled);
  return negative ? -value : value;
}

bool Quantity::RoundUp(int scale) {
  if (scale <= kNano) return true;
  UInt128 unit = PowerOfTen(std::min(scale + kNanoDigits, kMaxPower));
  Int128 nanos = QuantityBits::Get(*this);
  UInt128 magnitude = Magnitude(nanos);
  if (magnitude % unit == 0) return true;
  QuantityBits::Set(
      WithSign(SaturatingProduct(DivideAwayFromZero(magnitude, unit), unit), nanos < 0), this);
  return false;
}

double Quantity::AsDouble() const {
  UInt128 nanos = Magnitude(QuantityBits::Get(*this));
  // Two parts, so that whole numbers up to 2^53 come out exact.
  const UInt128 units = nanos / kNanosPerUnit;
  const UInt128 rest = nanos % kNanosPerUnit;
  double value =
      static_cast<double>(units) + static_cast<double>(rest) / static_cast<double>(kNanosPerUnit);
  return Sign() < 0 ? -value : value;
}

namespace {

bool SetFromText(std::string_view text, void* value, std::string* problem) {
  Result<Quantity> quantity = Quantity::Parse(text);
  if (!quantity.ok()) {
    *problem = quantity.error().message();
    return false;
  }
  *static_cast<Quantity*>(value) = *quantity;
  return true;
}

bool FromJson(const reflect::JsonScalar& token, void* value, std::string* problem) {
  using Form = reflect::JsonScalar::Form;
  switch (token.form) {
    case Form::kNull:
      *static_cast<Quantity*>(value) = Quantity();
      return true;
    case Form::kNumber:
    case Form::kString: {
      // Upstream takes white space around the text in JSON, though not elsewhere.
      constexpr std::string_view kSpace = " \t\n\v\f\r";
      size_t first = std::min(token.text.find_first_not_of(kSpace), token.text.size());
      size_t last = token.text.find_last_not_of(kSpace);
      return SetFromText(token.text.substr(first, last - first + 1), value, problem);
    }
    default:
      *problem = kFormatWrong;
      return false;
  }
}

void ToJson(const void* value, std::string* out) {
  out->push_back('"');
  static_cast<const Quantity*>(value)->AppendTo(out);
  out->push_back('"');
}

// message Quantity { optional string string = 1; }
bool FromProto(std::string_view message, void* value, std::string* problem) {
  *static_cast<Quantity*>(value) = Quantity();
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.number() != 1 || !reader.is_bytes()) continue;
    if (!SetFromText(reader.bytes(), value, problem)) return false;
  }
  if (!reader.ok()) *problem = kMalformedMessage;
  return reader.ok();
}

void ToProto(const void* value, std::string* out) {
  AppendBytesField(1, static_cast<const Quantity*>(value)->String(), out);
}

constexpr reflect::Leaf kLeaf = [] {
  reflect::Leaf leaf = reflect::MakeLeaf<Quantity>();
  leaf.description = "An amount of a resource, such as 500m or 1Gi.";
  leaf.from_json = FromJson;
  leaf.to_json = ToJson;
  leaf.from_proto = FromProto;
  leaf.to_proto = ToProto;
  return leaf;
}();

constexpr reflect::Package kPackage = {"", "", "k8s.io.apimachinery.pkg.api.resource",
                                       "k8s.io/apimachinery/pkg/api/resource"};

}  // namespace

constinit const reflect::Type kQuantityType = {
    .name = "Quantity",
    .package = &kPackage,
    .fields = {},
    .proto_rows = {},
    .leaf = &kLeaf,
    .create = reflect::CreateStruct<Quantity>,
    .destroy = reflect::DestroyStruct<Quantity>,
    .size = sizeof(Quantity),
    .form = reflect::Form::kLeaf,
    .flags = 0,
};

}  // namespace podium::api

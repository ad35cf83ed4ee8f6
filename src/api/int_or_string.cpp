#include "api/int_or_string.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/message_reader.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/ops.h"

namespace podium::api {
namespace {

__extension__ using Int128 = __int128;

int64_t PercentOf(int64_t percent, int64_t total, Rounding rounding) {
  Int128 hundredfold = static_cast<Int128>(percent) * total;
  Int128 value = hundredfold / 100;
  Int128 rest = hundredfold % 100;
  if (rounding == Rounding::kUp && rest > 0) ++value;
  if (rounding == Rounding::kDown && rest < 0) --value;
  constexpr Int128 kMin = std::numeric_limits<int64_t>::min();
  constexpr Int128 kMax = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::clamp(value, kMin, kMax));
}

}  // namespace

IntOrString IntOrString::Parse(std::string_view text) {
  Result<int64_t> number = reflect::ParseGoInt(text);
  if (!number.ok() || *number != static_cast<int32_t>(*number)) {
    return FromString(std::string(text));
  }
  return FromInt(static_cast<int32_t>(*number));
}

std::string IntOrString::String() const { return is_string() ? str_val : std::to_string(int_val); }

int64_t IntOrString::IntValue() const {
  return is_string() ? reflect::GoIntOrNearest(str_val) : int_val;
}

Result<int64_t> ScaledValueFromIntOrPercent(const IntOrString& value, int64_t total,
                                            Rounding rounding) {
  if (!value.is_string()) return value.int_val;
  constexpr std::string_view kContext = "invalid value for IntOrString: ";
  std::string_view text = value.str_val;
  if (!text.ends_with('%')) {
    return Error(Code::kInvalidArgument,
                 std::string(kContext) + "invalid type: string is not a percentage");
  }
  Result<int64_t> percent = reflect::ParseGoInt(text.substr(0, text.size() - 1));
  if (!percent.ok()) {
    return Error(Code::kInvalidArgument, std::string(kContext) + "invalid value " +
                                             reflect::GoQuoted(text) + ": " +
                                             percent.error().message());
  }
  return PercentOf(*percent, total, rounding);
}

namespace {

bool IntFromJson(std::string_view number, IntOrString* value, std::string* problem) {
  int32_t parsed = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), parsed);
  if (error != std::errc() || end != number.data() + number.size()) {
    *problem =
        "json: cannot unmarshal number " + std::string(number) + " into Go value of type int32";
    return false;
  }
  *value = IntOrString::FromInt(parsed);
  return true;
}

bool FromJson(const reflect::JsonScalar& token, void* object, std::string* problem) {
  using Form = reflect::JsonScalar::Form;
  auto* value = static_cast<IntOrString*>(object);
  switch (token.form) {
    case Form::kNull:
      *value = IntOrString();
      return true;
    case Form::kNumber:
      return IntFromJson(token.text, value, problem);
    case Form::kString:
      *value = IntOrString::FromString(std::string(token.text));
      return true;
    default:
      *problem = reflect::GoJsonTypeError(token.form, "int32");
      return false;
  }
}

void ToJson(const void* object, std::string* out) {
  const auto& value = *static_cast<const IntOrString*>(object);
  if (value.is_string()) {
    reflect::AppendJsonString(value.str_val, out);
  } else {
    out->append(std::to_string(value.int_val));
  }
}

// message IntOrString { optional int64 type = 1; optional int32 intVal = 2; optional string strVal
// = 3; }
bool FromProto(std::string_view message, void* object, std::string* problem) {
  auto& value = *static_cast<IntOrString*>(object);
  value = IntOrString();
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.number() == 1 && reader.is_varint()) {
      if (reader.varint() > 1) {
        *problem = "impossible IntOrString.Type";
        return false;
      }
      value.type = static_cast<IntOrString::Type>(reader.varint());
    } else if (reader.number() == 2 && reader.is_varint()) {
      value.int_val = static_cast<int32_t>(reader.varint());
    } else if (reader.number() == 3 && reader.is_bytes()) {
      value.str_val = reader.bytes();
    }
  }
  if (!reader.ok()) *problem = kMalformedMessage;
  return reader.ok();
}

void ToProto(const void* object, std::string* out) {
  const auto& value = *static_cast<const IntOrString*>(object);
  AppendVarintField(1, static_cast<uint64_t>(value.type), out);
  AppendVarintField(2, static_cast<uint64_t>(static_cast<int64_t>(value.int_val)), out);
  AppendBytesField(3, value.str_val, out);
}

constexpr reflect::Leaf kLeaf = [] {
  reflect::Leaf leaf = reflect::MakeLeaf<IntOrString>();
  leaf.description = "A number or a string.";
  leaf.quoted = false;
  leaf.from_json = FromJson;
  leaf.to_json = ToJson;
  leaf.from_proto = FromProto;
  leaf.to_proto = ToProto;
  return leaf;
}();

constexpr reflect::Package kPackage = {"", "", "k8s.io.apimachinery.pkg.util.intstr",
                                       "k8s.io/apimachinery/pkg/util/intstr"};

}  // namespace

constinit const reflect::Type kIntOrStringType = {
    .name = "IntOrString",
    .package = &kPackage,
    .fields = {},
    .proto_rows = {},
    .leaf = &kLeaf,
    .create = reflect::CreateStruct<IntOrString>,
    .destroy = reflect::DestroyStruct<IntOrString>,
    .size = sizeof(IntOrString),
    .form = reflect::Form::kLeaf,
    .flags = 0,
};

}  // namespace podium::api

#include "api/field_errors.h"

#include <fmt/format.h>

#include <set>

#include "reflect/json.h"

namespace podium::api::field {

std::string Path::String() const {
  if (kind_ == Kind::kRoot) return "<nil>";
  std::string out;
  AppendTo(&out);
  return out;
}

void Path::AppendTo(std::string* out) const {
  if (parent_) parent_->AppendTo(out);
  switch (kind_) {
    case Kind::kRoot:
      break;
    case Kind::kName:
      if (name_.empty()) {
        // To upstream a subscript is a name that is empty.
        out->append("[]");
        break;
      }
      if (!out->empty()) out->push_back('.');
      out->append(name_);
      break;
    case Kind::kIndex:
      out->push_back('[');
      out->append(std::to_string(index_));
      out->push_back(']');
      break;
    case Kind::kKey:
      out->push_back('[');
      out->append(name_);
      out->push_back(']');
      break;
  }
}

namespace {

struct TypeTexts {
  std::string_view reason;
  std::string_view text;
};

// In the order of ErrorType.
constexpr TypeTexts kTypeTexts[] = {
    {"FieldValueNotFound", "Not found"},
    {"FieldValueRequired", "Required value"},
    {"FieldValueDuplicate", "Duplicate value"},
    {"FieldValueInvalid", "Invalid value"},
    {"FieldValueNotSupported", "Unsupported value"},
    {"FieldValueForbidden", "Forbidden"},
    {"FieldValueTooLong", "Too long"},
    {"FieldValueTooMany", "Too many"},
    {"InternalError", "Internal error"},
    {"FieldValueTypeInvalid", "Invalid value"},
};

const TypeTexts& TextsOf(ErrorType type) { return kTypeTexts[static_cast<size_t>(type)]; }

std::string JsonList(const reflect::List<std::string>& strings) {
  std::string out = "[";
  for (const std::string& string : strings) {
    if (out.size() > 1) out.push_back(',');
    reflect::AppendJsonString(string, &out);
  }
  out.push_back(']');
  return out;
}

std::string JsonMap(const reflect::Map<std::string>& strings) {
  std::string out = "{";
  for (const auto& [key, value] : strings) {
    if (out.size() > 1) out.push_back(',');
    reflect::AppendJsonString(key, &out);
    out.push_back(':');
    reflect::AppendJsonString(value, &out);
  }
  out.push_back('}');
  return out;
}

Error MakeError(ErrorType type, const Path& path, std::string bad_value, std::string_view detail) {
  return Error{type, path.String(), std::move(bad_value), std::string(detail)};
}

template <class Strings>
std::string SupportedValues(const Strings& values) {
  std::string out;
  for (const auto& value : values) {
    out.append(out.empty() ? "supported values: " : ", ");
    reflect::AppendGoQuoted(value, &out);
  }
  return out;
}

}  // namespace

std::string_view ErrorTypeReason(ErrorType type) { return TextsOf(type).reason; }
std::string_view ErrorTypeText(ErrorType type) { return TextsOf(type).text; }

BadValue::BadValue(double value) : text_(fmt::format("{}", value)) {}
BadValue::BadValue(const std::optional<std::string>& value) {
  if (value) {
    reflect::AppendJsonString(*value, &text_);
  } else {
    text_ = "null";
  }
}
BadValue::BadValue(const reflect::List<std::string>& strings)
    : text_(strings.empty() ? "null" : JsonList(strings)) {}
BadValue::BadValue(const reflect::Map<std::string>& strings)
    : text_(strings.empty() ? "null" : JsonMap(strings)) {}
BadValue::BadValue(const reflect::Nullable<reflect::List<std::string>>& strings)
    : text_(strings.is_null() ? "null" : JsonList(strings)) {}
BadValue::BadValue(const reflect::Nullable<reflect::Map<std::string>>& strings)
    : text_(strings.is_null() ? "null" : JsonMap(strings)) {}
BadValue::BadValue(const Quantity& value) : BadValue(Of(value)) {}
BadValue::BadValue(const IntOrString& value) : BadValue(Of(value)) {}
BadValue::BadValue(const Time& value) : BadValue(Of(value)) {}

BadValue BadValue::OfType(const reflect::Type& type, const void* value) {
  BadValue out;
  if (type.leaf) {
    type.leaf->to_json(value, &out.text_);
  } else if (!reflect::EncodeJson(type, value, &out.text_).ok()) {
    // Only raw bytes that came by protobuf have no JSON.
    out.text_ = type.name;
  }
  return out;
}

BadValue BadValue::Json(std::string json) {
  BadValue out;
  out.text_ = std::move(json);
  return out;
}

std::string Error::Body() const {
  std::string out(ErrorTypeText(type));
  if (!bad_value.empty()) out.append(": ").append(bad_value);
  if (!detail.empty()) out.append(": ").append(detail);
  return out;
}

std::string Error::Text() const { return field + ": " + Body(); }

Error TypeInvalid(const Path& path, const BadValue& value, std::string_view detail) {
  return MakeError(ErrorType::kTypeInvalid, path, value.text(), detail);
}

Error NotFound(const Path& path, const BadValue& value) {
  return MakeError(ErrorType::kNotFound, path, value.text(), {});
}

Error Required(const Path& path, std::string_view detail) {
  return MakeError(ErrorType::kRequired, path, {}, detail);
}

Error Duplicate(const Path& path, const BadValue& value) {
  return MakeError(ErrorType::kDuplicate, path, value.text(), {});
}

Error Invalid(const Path& path, const BadValue& value, std::string_view detail) {
  return MakeError(ErrorType::kInvalid, path, value.text(), detail);
}

Error NotSupported(const Path& path, const BadValue& value,
                   std::initializer_list<std::string_view> valid_values) {
  return MakeError(ErrorType::kNotSupported, path, value.text(), SupportedValues(valid_values));
}

Error NotSupported(const Path& path, const BadValue& value,
                   const std::vector<std::string>& valid_values) {
  return MakeError(ErrorType::kNotSupported, path, value.text(), SupportedValues(valid_values));
}

Error Forbidden(const Path& path, std::string_view detail) {
  return MakeError(ErrorType::kForbidden, path, {}, detail);
}

Error TooLong(const Path& path, int64_t max_bytes) {
  std::string detail = max_bytes < 0 ? "value is too long"
                                     : fmt::format("may not be more than {} {}", max_bytes,
                                                   max_bytes == 1 ? "byte" : "bytes");
  return MakeError(ErrorType::kTooLong, path, {}, detail);
}

Error TooMany(const Path& path, int64_t actual, int64_t max) {
  std::string detail =
      max < 0 ? "has too many items"
              : fmt::format("must have at most {} {}", max, max == 1 ? "item" : "items");
  return MakeError(ErrorType::kTooMany, path, actual < 0 ? "" : std::to_string(actual), detail);
}

Error InternalError(const Path& path, std::string_view detail) {
  return MakeError(ErrorType::kInternal, path, {}, detail);
}

void ErrorList::Add(Error error) {
  if (full()) return;
  bytes_ += error.field.size() + error.bad_value.size() + error.detail.size();
  push_back(std::move(error));
  if (full()) push_back(Invalid(Path(), "", kNoMoreErrors));
}

void ErrorList::Append(ErrorList others) {
  for (Error& error : others) Add(std::move(error));
}

void ErrorList::AddInvalid(const Path& path, const BadValue& value,
                           const std::vector<std::string>& messages) {
  for (const std::string& message : messages) Add(Invalid(path, value, message));
}

std::string ErrorList::AggregateText() const {
  std::set<std::string> seen;
  std::string out;
  for (const Error& error : *this) {
    std::string text = error.Text();
    if (!seen.insert(text).second) continue;
    if (!out.empty()) out.append(", ");
    out.append(text);
  }
  return seen.size() > 1 ? "[" + out + "]" : out;
}

}  // namespace podium::api::field

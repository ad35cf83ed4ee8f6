// Problems of an object, field by field, in upstream's words (k8s.io/apimachinery
// pkg/util/validation/field): what validation collects and what a Status reports as causes.
//
//   ErrorList ValidatePort(const ContainerPort& port, const Path& path) {
//     ErrorList errors;
//     if (port.containerPort == 0) errors.Add(Required(path.Child("containerPort"), ""));
//     ...
//
// Values are printed when an error is made: strings as Go's %q, numbers and booleans bare, absent
// ones as null, everything else as JSON.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/int_or_string.h"
#include "api/quantity.h"
#include "api/time.h"
#include "reflect/go_text.h"
#include "reflect/type.h"
#include "reflect/values.h"

namespace podium::api::field {

// Where a field stands: spec.containers[0].ports[1].hostPort, metadata.annotations[a/b].
//
// A path is a link to its parent, so that walking an object makes no strings until an error needs
// one: children must not outlive their parents, and names not the call. Passing temporaries down
// (`Validate(x, path.Child("spec").Index(3))`) is right: they live until the call returns. To keep
// a path, keep its String().
class Path {
 public:
  // The whole object: prints as upstream's nil path, "<nil>", and its children as their own names.
  Path() = default;
  explicit Path(std::string_view name) : name_(name), kind_(Kind::kName) {}

  Path Child(std::string_view name) const [[clang::lifetimebound]] {
    return Path(this, name, 0, Kind::kName);
  }
  Path Index(size_t index) const [[clang::lifetimebound]] {
    return Path(this, {}, index, Kind::kIndex);
  }
  Path Key(std::string_view key) const [[clang::lifetimebound]] {
    return Path(this, key, 0, Kind::kKey);
  }

  std::string String() const;

 private:
  enum class Kind : uint8_t { kRoot, kName, kIndex, kKey };
  Path(const Path* parent, std::string_view name, size_t index, Kind kind)
      : parent_(parent), name_(name), index_(index), kind_(kind) {}
  void AppendTo(std::string* out) const;

  const Path* parent_ = nullptr;
  std::string_view name_;
  size_t index_ = 0;
  Kind kind_ = Kind::kRoot;
};

enum class ErrorType {
  kNotFound,
  kRequired,
  kDuplicate,
  kInvalid,
  kNotSupported,
  kForbidden,
  kTooLong,
  kTooMany,
  kInternal,
  kTypeInvalid,
};

// The reason in a Status cause: "FieldValueInvalid".
std::string_view ErrorTypeReason(ErrorType type);
// How messages start: "Invalid value".
std::string_view ErrorTypeText(ErrorType type);

// The value at fault, as messages print it.
class BadValue {
 public:
  BadValue(std::string_view value) { reflect::AppendGoQuoted(value, &text_); }  // NOLINT: any value
  BadValue(const std::string& value) : BadValue(std::string_view(value)) {}     // NOLINT: likewise
  BadValue(const char* value) : BadValue(std::string_view(value)) {}            // NOLINT: likewise
  BadValue(std::same_as<bool> auto value) : text_(value ? "true" : "false") {}  // NOLINT: likewise
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  BadValue(T value) : text_(std::to_string(value)) {}  // NOLINT: likewise
  BadValue(double value);                              // NOLINT: likewise
  BadValue(std::nullptr_t) : text_("null") {}          // NOLINT: likewise
  // An empty list or map prints as null, a Nullable one that is present as [] or {}.
  BadValue(const reflect::List<std::string>& strings);                     // NOLINT: likewise
  BadValue(const reflect::Map<std::string>& strings);                      // NOLINT: likewise
  BadValue(const reflect::Nullable<reflect::List<std::string>>& strings);  // NOLINT: likewise
  BadValue(const reflect::Nullable<reflect::Map<std::string>>& strings);   // NOLINT: likewise
  // Upstream prints what a pointer points to as JSON, strings too.
  BadValue(const std::optional<std::string>& value);  // NOLINT: likewise
  template <class T>
  BadValue(const std::optional<T>& value)  // NOLINT: likewise
      : text_(value ? BadValue(*value).text_ : "null") {}
  template <class T>
  BadValue(const reflect::Box<T>& value)  // NOLINT: likewise
      : text_(value ? Of(*value).text_ : "null") {}
  BadValue(const Quantity& value);     // NOLINT: likewise
  BadValue(const IntOrString& value);  // NOLINT: likewise
  BadValue(const Time& value);         // NOLINT: likewise

  // A struct as its JSON.
  template <class T>
  static BadValue Of(const T& value) {
    return OfType(reflect::TypeOf<T>(), &value);
  }
  static BadValue OfType(const reflect::Type& type, const void* value);
  static BadValue Json(std::string json);
  // No value is printed.
  static BadValue Omitted() { return Json({}); }

  const std::string& text() const { return text_; }

 private:
  BadValue() = default;

  std::string text_;
};

struct Error {
  ErrorType type;
  std::string field;      // "<nil>" for the whole object
  std::string bad_value;  // as printed; empty when not shown
  std::string detail;

  // "Invalid value: \"a\": detail"
  std::string Body() const;
  // "spec.x: Invalid value: \"a\": detail"
  std::string Text() const;
  friend bool operator==(const Error&, const Error&) = default;
};

Error TypeInvalid(const Path& path, const BadValue& value, std::string_view detail);
Error NotFound(const Path& path, const BadValue& value);
Error Required(const Path& path, std::string_view detail);
Error Duplicate(const Path& path, const BadValue& value);
Error Invalid(const Path& path, const BadValue& value, std::string_view detail);
// Valid values are printed in the order given; upstream's lists are mostly sorted sets.
Error NotSupported(const Path& path, const BadValue& value,
                   std::initializer_list<std::string_view> valid_values);
Error NotSupported(const Path& path, const BadValue& value,
                   const std::vector<std::string>& valid_values);
Error Forbidden(const Path& path, std::string_view detail);
// A negative maximum is not told.
Error TooLong(const Path& path, int64_t max_bytes);
// A negative actual count is not told, nor a negative maximum.
Error TooMany(const Path& path, int64_t actual, int64_t max);
Error InternalError(const Path& path, std::string_view detail);

// The last error of too many.
inline constexpr std::string_view kNoMoreErrors = "has too many errors: no more of them are told";

// An object of 3 MB can be wrong in a million ways, each with a text as long as the object: when
// some thousand errors or some megabytes are there, the last one is kNoMoreErrors, of the whole
// object, and what is found then is dropped.
class ErrorList : public std::vector<Error> {
 public:
  using std::vector<Error>::vector;

  void Add(Error error);
  void Append(ErrorList others);
  // Where each error shows more than the item at hand, the loop over the items ends then.
  bool full() const { return size() >= kMostErrors || bytes_ >= kMostBytes; }
  // One Invalid for each message: what the rules of names.h return.
  void AddInvalid(const Path& path, const BadValue& value,
                  const std::vector<std::string>& messages);

  // The text of the one error, or "[a, b]" of several; repeated texts count once.
  std::string AggregateText() const;

 private:
  static constexpr size_t kMostErrors = 10'000;
  static constexpr size_t kMostBytes = size_t{4} << 20;

  size_t bytes_ = 0;  // of the texts of what was added
};

}  // namespace podium::api::field

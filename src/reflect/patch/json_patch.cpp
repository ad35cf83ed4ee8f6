#include "reflect/patch/json_patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "reflect/go_text.h"

namespace podium::reflect {
namespace {

constexpr std::string_view kMissing = "missing value";

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Section 4 of RFC 6901.
std::string Unescaped(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    if (escape && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      out += token[i];
    }
  }
  return out;
}

Error InvalidIndex(int64_t index) {
  return Invalid(
      fmt::format("Unable to access invalid index: {}: invalid index referenced", index));
}

// The index of an array's place among `places`, of which negative ones count from the end.
Result<size_t> IndexOf(std::string_view key, size_t places) {
  TRY(const int64_t index, ParseGoInt(key));
  const auto count = static_cast<int64_t>(places);
  if (index >= count || index < -count) return InvalidIndex(index);
  return static_cast<size_t>(index < 0 ? index + count : index);
}

// Objects and arrays in each other.
size_t Depth(const JsonValue& value) {
  size_t inner = 0;
  if (value.is_object()) {
    for (const auto& member : value.object()) inner = std::max(inner, Depth(member.value));
  } else if (value.is_array()) {
    for (const JsonValue& element : value.array()) inner = std::max(inner, Depth(element));
  } else {
    return 0;
  }
  return inner + 1;
}

// Where a pointer leads: the last token and the object or array that it is to be looked up in.
struct Place {
  JsonValue* container;
  std::string key;
  size_t depth = 1;  // of the container, the document's own being 1

  // The value there; null when an object has no such member.
  Result<JsonValue*> Get() const {
    if (container->is_object()) return container->Find(key);
    TRY(const size_t index, IndexOf(key, container->array().size()));
    return &container->array()[index];
  }
  Result<void> Add(JsonValue value) const {
    if (container->is_object()) {
      container->Set(key, std::move(value));
      return {};
    }
    JsonValue::Array& array = container->array();
    if (key == "-") {
      array.push_back(std::move(value));
      return {};
    }
    if (Result<int64_t> number = ParseGoInt(key); !number.ok()) {
      return std::move(number).error().WithContext(
          fmt::format("value was not a proper array index: '{}'", key));
    }
    TRY(const size_t index, IndexOf(key, array.size() + 1));
    array.insert(array.begin() + static_cast<ptrdiff_t>(index), std::move(value));
    return {};
  }
  Result<void> Remove() const {
    if (container->is_object()) {
      if (container->Erase(key)) return {};
      return Invalid(fmt::format("Unable to remove nonexistent key: {}: {}", key, kMissing));
    }
    JsonValue::Array& array = container->array();
    TRY(const size_t index, IndexOf(key, array.size()));
    array.erase(array.begin() + static_cast<ptrdiff_t>(index));
    return {};
  }
};

// Empty when the way there is broken.
std::optional<Place> FindPlace(JsonValue* document, std::string_view pointer) {
  size_t slash = pointer.find('/');
  // What stands before the first slash is not looked at, as upstream.
  if (slash == std::string_view::npos) return std::nullopt;
  Place place{document, {}};
  for (;;) {
    const size_t next = pointer.find('/', slash + 1);
    place.key = Unescaped(pointer.substr(slash + 1, next - slash - 1));
    if (!place.container->is_object() && !place.container->is_array()) return std::nullopt;
    if (next == std::string_view::npos) return place;
    const Result<JsonValue*> inner = place.Get();
    if (!inner.ok() || *inner == nullptr) return std::nullopt;
    place.container = *inner;
    ++place.depth;
    slash = next;
  }
}

bool IsText(const JsonValue* value) { return value != nullptr && value->is_string(); }

// What the operations of a patch have come to so far.
struct Progress {
  size_t copied = 0;   // bytes
  size_t deepest = 0;  // the document's depth at most
};

class Operation {
 public:
  Operation(const JsonValue& fields, const JsonPatch::Limits& limits, Progress* progress)
      : fields_(fields), limits_(limits), progress_(*progress) {}

  Result<void> Apply(JsonValue* document) const {
    const JsonValue* op = fields_.Find("op");
    const std::string_view kind = IsText(op) ? std::string_view(op->string()) : "unknown";
    if (kind == "add") return Add(document);
    if (kind == "remove") return Remove(document);
    if (kind == "replace") return Replace(document);
    if (kind == "move") return Move(document);
    if (kind == "copy") return Copy(document);
    if (kind == "test") return Test(document);
    return Invalid(fmt::format("Unexpected kind: {}", kind));
  }

 private:
  Result<std::string_view> Text(std::string_view name, std::string_view missing) const {
    const JsonValue* field = fields_.Find(name);
    if (field == nullptr || field->is_null()) {
      return Invalid(fmt::format("{}: {}", missing, kMissing));
    }
    if (IsText(field)) return std::string_view(field->string());
    const std::string_view form = field->is_bool()     ? "bool"
                                  : field->is_number() ? "number"
                                  : field->is_array()  ? "array"
                                                       : "object";
    return Invalid(fmt::format("json: cannot unmarshal {} into Go value of type string", form));
  }
  Result<std::string_view> Path() const { return Text("path", "operation missing path field"); }
  Result<std::string_view> From() const { return Text("from", "operation, missing from field"); }

  // null when the operation has none.
  const JsonValue& Value() const {
    const JsonValue* value = fields_.Find("value");
    return value ? *value : null_;
  }

  Result<void> CheckDepth(const Place& place, size_t depth) const {
    if (place.depth + depth > limits_.depth) {
      return Error(Code::kResourceExhausted, "exceeded max depth");
    }
    progress_.deepest = std::max(progress_.deepest, place.depth + depth);
    return {};
  }
  Result<void> AddAt(const Place& place, JsonValue value) const {
    TRY_VOID(CheckDepth(place, Depth(value)));
    return place.Add(std::move(value));
  }
  // The same of what was taken out at `source`. How deep that is at most is known without looking
  // into it, which would take long when a large part of the document moves again and again.
  Result<void> MoveTo(const Place& place, const Place& source, JsonValue value,
                      const JsonValue& document) const {
    size_t depth = progress_.deepest - std::min(progress_.deepest, source.depth);
    if (place.depth + depth > limits_.depth) {
      depth = Depth(value);
      progress_.deepest = Depth(document);
    }
    TRY_VOID(CheckDepth(place, depth));
    return place.Add(std::move(value));
  }

  Result<void> Add(JsonValue* document) const {
    const Result<std::string_view> path = Path();
    if (!path.ok())
      return Invalid(fmt::format("add operation failed to decode path: {}", kMissing));
    const auto place = FindPlace(document, *path);
    if (!place) {
      return Invalid(fmt::format("add operation does not apply: doc is missing path: \"{}\": {}",
                                 *path, kMissing));
    }
    return At("error in add for path", *path, AddAt(*place, Value()));
  }

  Result<void> Remove(JsonValue* document) const {
    const Result<std::string_view> path = Path();
    if (!path.ok()) {
      return Invalid(fmt::format("remove operation failed to decode path: {}", kMissing));
    }
    const auto place = FindPlace(document, *path);
    if (!place) {
      return Invalid(fmt::format("remove operation does not apply: doc is missing path: \"{}\": {}",
                                 *path, kMissing));
    }
    return At("error in remove for path", *path, place->Remove());
  }

  Result<void> Replace(JsonValue* document) const {
    Result<std::string_view> path = Path();
    if (!path.ok()) {
      return std::move(path).error().WithContext("replace operation failed to decode path");
    }
    if (path->empty()) {
      const JsonValue& value = Value();
      if (!value.is_object() && !value.is_array()) {
        return Invalid("replace operation value must be object or array");
      }
      *document = value;
      progress_.deepest = Depth(value);
      return {};
    }
    const auto place = FindPlace(document, *path);
    if (!place) {
      return Invalid(fmt::format("replace operation does not apply: doc is missing path: {}: {}",
                                 *path, kMissing));
    }
    const Result<JsonValue*> there = place->Get();
    if (!there.ok()) {
      return Invalid(fmt::format("replace operation does not apply: doc is missing key: {}: {}",
                                 *path, kMissing));
    }
    if (*there == nullptr) return AddAt(*place, Value());
    TRY_VOID(CheckDepth(*place, Depth(Value())));
    **there = Value();
    return {};
  }

  Result<void> Move(JsonValue* document) const {
    Result<std::string_view> from = From();
    if (!from.ok()) {
      return std::move(from).error().WithContext("move operation failed to decode from");
    }
    const auto source = FindPlace(document, *from);
    if (!source) {
      return Invalid(fmt::format("move operation does not apply: doc is missing from path: {}: {}",
                                 *from, kMissing));
    }
    Result<JsonValue*> there = source->Get();
    if (!there.ok()) return At("error in move for path", source->key, std::move(there).error());
    JsonValue moved = *there ? std::move(**there) : JsonValue();
    TRY_VOID(At("error in move for path", source->key, source->Remove()));
    Result<std::string_view> path = Path();
    if (!path.ok()) {
      return std::move(path).error().WithContext("move operation failed to decode path");
    }
    const auto place = FindPlace(document, *path);
    if (!place) {
      return Invalid(
          fmt::format("move operation does not apply: doc is missing destination path: {}: {}",
                      *path, kMissing));
    }
    return At("error in move for path", *path,
              MoveTo(*place, *source, std::move(moved), *document));
  }

  Result<void> Copy(JsonValue* document) const {
    Result<std::string_view> from = From();
    if (!from.ok()) {
      return std::move(from).error().WithContext("copy operation failed to decode from");
    }
    const auto source = FindPlace(document, *from);
    if (!source) {
      return Invalid(fmt::format("copy operation does not apply: doc is missing from path: {}: {}",
                                 *from, kMissing));
    }
    Result<JsonValue*> there = source->Get();
    if (!there.ok()) return At("error in copy for from", *from, std::move(there).error());
    const Result<std::string_view> path = Path();
    if (!path.ok()) {
      return Invalid(fmt::format("copy operation failed to decode path: {}", kMissing));
    }
    const auto place = FindPlace(document, *path);
    if (!place) {
      return Invalid(
          fmt::format("copy operation does not apply: doc is missing destination path: {}: {}",
                      *path, kMissing));
    }
    JsonValue value = *there ? **there : JsonValue();
    if (*there) progress_.copied += ToText(value).size();
    if (progress_.copied > limits_.copied_bytes) {
      return Error(Code::kResourceExhausted,
                   fmt::format("Unable to complete the copy, the accumulated size increase of "
                               "copy is {}, exceeding the limit {}",
                               progress_.copied, limits_.copied_bytes));
    }
    Result<void> added = AddAt(*place, std::move(value));
    if (added.ok()) return {};
    return std::move(added).error().WithContext("error while adding value during copy");
  }

  Result<void> Test(JsonValue* document) const {
    Result<std::string_view> path = Path();
    if (!path.ok()) {
      return std::move(path).error().WithContext("test operation failed to decode path");
    }
    const JsonValue absent;
    const JsonValue* value = document;
    if (!path->empty()) {
      const auto place = FindPlace(document, *path);
      if (!place) {
        return Invalid(
            fmt::format("test operation does not apply: is missing path: {}: {}", *path, kMissing));
      }
      Result<JsonValue*> there = place->Get();
      if (!there.ok()) return At("error in test for path", *path, std::move(there).error());
      value = *there ? *there : &absent;
    }
    if (Equivalent(*value, Value())) return {};
    return Invalid(fmt::format("testing value {} failed: test failed", *path));
  }

  static Result<void> At(std::string_view what, std::string_view path, Result<void> result) {
    if (result.ok()) return {};
    return std::move(result).error().WithContext(fmt::format("{}: '{}'", what, path));
  }

  const JsonValue null_;
  const JsonValue& fields_;
  const JsonPatch::Limits& limits_;
  Progress& progress_;
};

}  // namespace

Result<JsonPatch> JsonPatch::Parse(std::string_view text) {
  TRY(JsonValue value, ParseJson(text));
  return FromValue(std::move(value));
}

Result<JsonPatch> JsonPatch::FromValue(JsonValue operations) {
  // null is a patch of nothing, as it is there.
  if (operations.is_null()) return JsonPatch({});
  if (!operations.is_array()) {
    return Invalid("a JSON patch is a list of operations");
  }
  for (const JsonValue& operation : operations.array()) {
    if (!operation.is_object() && !operation.is_null()) {
      return Invalid("an operation of a JSON patch is an object");
    }
  }
  return JsonPatch(std::move(operations.array()));
}

Result<void> JsonPatch::Apply(JsonValue* document, const Limits& limits) const {
  if (operations_.size() > limits.operations) {
    return Error(Code::kResourceExhausted,
                 fmt::format("The allowed maximum operations in a JSON patch is {}, got {}",
                             limits.operations, operations_.size()));
  }
  Progress progress{.deepest = Depth(*document)};
  for (const JsonValue& operation : operations_) {
    TRY_VOID(Operation(operation, limits, &progress).Apply(document));
  }
  return {};
}

}  // namespace podium::reflect

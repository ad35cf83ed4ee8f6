#include "reflect/patch/json_patch.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "reflect/go_text.h"
#include "reflect/patch/patch_tree.h"

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

// Where a pointer leads: the last token and the object or array that it is to be looked up in.
struct Place {
  PatchContainer* container;
  std::string key;
  size_t depth = 1;  // of the container, the document's own being 1

  // The value there; null when an object has no such member.
  Result<PatchNode*> Get() const {
    if (container->is_object()) return container->Find(key);
    TRY(const size_t index, IndexOf(key, container->size()));
    return container->At(index);
  }
  Result<void> Add(PatchNode value) const {
    if (container->is_object()) {
      if (PatchNode* there = container->Find(key)) {
        container->Replace(there, std::move(value));
      } else {
        container->Append(key, std::move(value));
      }
      return {};
    }
    if (key == "-") {
      container->Insert(container->size(), std::move(value));
      return {};
    }
    if (Result<int64_t> number = ParseGoInt(key); !number.ok()) {
      return std::move(number).error().WithContext(
          fmt::format("value was not a proper array index: '{}'", key));
    }
    TRY(const size_t index, IndexOf(key, container->size() + 1));
    container->Insert(index, std::move(value));
    return {};
  }
  Result<PatchNode> Remove() const {
    if (container->is_object()) {
      if (container->Find(key)) return container->Erase(key);
      return Invalid(fmt::format("Unable to remove nonexistent key: {}: {}", key, kMissing));
    }
    TRY(const size_t index, IndexOf(key, container->size()));
    return container->Erase(index);
  }
};

// Empty when the way there is broken.
std::optional<Place> FindPlace(const PatchNode& document, std::string_view pointer) {
  size_t slash = pointer.find('/');
  // What stands before the first slash is not looked at, as upstream.
  if (slash == std::string_view::npos) return std::nullopt;
  Place place{document.container(), {}};
  for (;;) {
    const size_t next = pointer.find('/', slash + 1);
    place.key = Unescaped(pointer.substr(slash + 1, next - slash - 1));
    if (place.container == nullptr) return std::nullopt;
    if (next == std::string_view::npos) return place;
    const Result<PatchNode*> inner = place.Get();
    if (!inner.ok() || *inner == nullptr) return std::nullopt;
    place.container = (*inner)->container();
    ++place.depth;
    slash = next;
  }
}

bool IsText(const JsonValue* value) { return value != nullptr && value->is_string(); }

class Operation {
 public:
  // `copied_bytes` is what the operations of the patch have copied so far.
  Operation(const JsonValue& fields, const JsonPatch::Limits& limits, size_t* copied_bytes)
      : fields_(fields), limits_(limits), copied_bytes_(*copied_bytes) {}

  Result<void> Apply(PatchNode* document) const {
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

  Result<void> CheckDepth(const Place& place, const PatchNode& value) const {
    if (place.depth + value.height() <= limits_.depth) return {};
    return Error(Code::kResourceExhausted, "exceeded max depth");
  }
  Result<void> AddAt(const Place& place, PatchNode value) const {
    TRY_VOID(CheckDepth(place, value));
    return place.Add(std::move(value));
  }

  Result<void> Add(PatchNode* document) const {
    const Result<std::string_view> path = Path();
    if (!path.ok())
      return Invalid(fmt::format("add operation failed to decode path: {}", kMissing));
    const auto place = FindPlace(*document, *path);
    if (!place) {
      return Invalid(fmt::format("add operation does not apply: doc is missing path: \"{}\": {}",
                                 *path, kMissing));
    }
    return At("error in add for path", *path, AddAt(*place, PatchNode(Value())));
  }

  Result<void> Remove(PatchNode* document) const {
    const Result<std::string_view> path = Path();
    if (!path.ok()) {
      return Invalid(fmt::format("remove operation failed to decode path: {}", kMissing));
    }
    const auto place = FindPlace(*document, *path);
    if (!place) {
      return Invalid(fmt::format("remove operation does not apply: doc is missing path: \"{}\": {}",
                                 *path, kMissing));
    }
    Result<PatchNode> removed = place->Remove();
    if (removed.ok()) return {};
    return At("error in remove for path", *path, std::move(removed).error());
  }

  Result<void> Replace(PatchNode* document) const {
    Result<std::string_view> path = Path();
    if (!path.ok()) {
      return std::move(path).error().WithContext("replace operation failed to decode path");
    }
    if (path->empty()) {
      const JsonValue& value = Value();
      if (!value.is_object() && !value.is_array()) {
        return Invalid("replace operation value must be object or array");
      }
      *document = PatchNode(value);
      return {};
    }
    const auto place = FindPlace(*document, *path);
    if (!place) {
      return Invalid(fmt::format("replace operation does not apply: doc is missing path: {}: {}",
                                 *path, kMissing));
    }
    const Result<PatchNode*> there = place->Get();
    if (!there.ok()) {
      return Invalid(fmt::format("replace operation does not apply: doc is missing key: {}: {}",
                                 *path, kMissing));
    }
    if (*there == nullptr) return AddAt(*place, PatchNode(Value()));
    PatchNode value(Value());
    TRY_VOID(CheckDepth(*place, value));
    place->container->Replace(*there, std::move(value));
    return {};
  }

  Result<void> Move(PatchNode* document) const {
    Result<std::string_view> from = From();
    if (!from.ok()) {
      return std::move(from).error().WithContext("move operation failed to decode from");
    }
    const auto source = FindPlace(*document, *from);
    if (!source) {
      return Invalid(fmt::format("move operation does not apply: doc is missing from path: {}: {}",
                                 *from, kMissing));
    }
    Result<PatchNode> moved = source->Remove();
    if (!moved.ok()) return At("error in move for path", source->key, std::move(moved).error());
    Result<std::string_view> path = Path();
    if (!path.ok()) {
      return std::move(path).error().WithContext("move operation failed to decode path");
    }
    const auto place = FindPlace(*document, *path);
    if (!place) {
      return Invalid(
          fmt::format("move operation does not apply: doc is missing destination path: {}: {}",
                      *path, kMissing));
    }
    return At("error in move for path", *path, AddAt(*place, *std::move(moved)));
  }

  Result<void> Copy(PatchNode* document) const {
    Result<std::string_view> from = From();
    if (!from.ok()) {
      return std::move(from).error().WithContext("copy operation failed to decode from");
    }
    const auto source = FindPlace(*document, *from);
    if (!source) {
      return Invalid(fmt::format("copy operation does not apply: doc is missing from path: {}: {}",
                                 *from, kMissing));
    }
    Result<PatchNode*> there = source->Get();
    if (!there.ok()) return At("error in copy for from", *from, std::move(there).error());
    const Result<std::string_view> path = Path();
    if (!path.ok()) {
      return Invalid(fmt::format("copy operation failed to decode path: {}", kMissing));
    }
    const auto place = FindPlace(*document, *path);
    if (!place) {
      return Invalid(
          fmt::format("copy operation does not apply: doc is missing destination path: {}: {}",
                      *path, kMissing));
    }
    JsonValue value = *there ? (*there)->Copy() : JsonValue();
    if (*there) copied_bytes_ += ToText(value).size();
    if (copied_bytes_ > limits_.copied_bytes) {
      return Error(Code::kResourceExhausted,
                   fmt::format("Unable to complete the copy, the accumulated size increase of "
                               "copy is {}, exceeding the limit {}",
                               copied_bytes_, limits_.copied_bytes));
    }
    Result<void> added = AddAt(*place, PatchNode(std::move(value)));
    if (added.ok()) return {};
    return std::move(added).error().WithContext("error while adding value during copy");
  }

  Result<void> Test(PatchNode* document) const {
    Result<std::string_view> path = Path();
    if (!path.ok()) {
      return std::move(path).error().WithContext("test operation failed to decode path");
    }
    const PatchNode absent;
    const PatchNode* value = document;
    if (!path->empty()) {
      const auto place = FindPlace(*document, *path);
      if (!place) {
        return Invalid(
            fmt::format("test operation does not apply: is missing path: {}: {}", *path, kMissing));
      }
      Result<PatchNode*> there = place->Get();
      if (!there.ok()) return At("error in test for path", *path, std::move(there).error());
      value = *there ? *there : &absent;
    }
    if (value->SameAs(Value())) return {};
    return Invalid(fmt::format("testing value {} failed: test failed", *path));
  }

  static Result<void> At(std::string_view what, std::string_view path, Result<void> result) {
    if (result.ok()) return {};
    return std::move(result).error().WithContext(fmt::format("{}: '{}'", what, path));
  }

  const JsonValue null_;
  const JsonValue& fields_;
  const JsonPatch::Limits& limits_;
  size_t& copied_bytes_;
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
  PatchNode root(std::exchange(*document, JsonValue()));
  size_t copied_bytes = 0;
  for (const JsonValue& operation : operations_) {
    TRY_VOID(Operation(operation, limits, &copied_bytes).Apply(&root));
  }
  *document = root.Take();
  return {};
}

}  // namespace podium::reflect

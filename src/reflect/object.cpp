#include "reflect/object.h"

#include "reflect/json.h"
#include "reflect/json_scanner.h"

namespace podium::reflect {
namespace {

constexpr size_t kMaxDepth = 1000;

// Reads one JSON object and offers each key to `take`, which reads the value and returns true, or
// leaves it alone and returns false.
template <class Take>
bool ReadMembers(JsonScanner& scanner, Take take) {
  if (!scanner.Consume('{')) return scanner.Fail("expected an object");
  if (scanner.Consume('}')) return true;
  std::string buffer;
  do {
    if (scanner.Peek() != '"') return scanner.Fail("expected a key in quotes");
    std::string_view key;
    bool clean = true;
    if (!scanner.ReadString(&key, &buffer, &clean)) return false;
    if (!scanner.Consume(':')) return scanner.Fail("expected ':' after a key");
    if (!take(key) && (scanner.failed() || !scanner.SkipValue(kMaxDepth))) return false;
  } while (scanner.Consume(','));
  return scanner.Consume('}') || scanner.Fail(JsonScanner::kExpectedCommaOrEnd);
}

// Reads the value into *target when it is a string.
bool TakeString(JsonScanner& scanner, std::string* target) {
  if (scanner.Peek() != '"') return false;
  std::string_view text;
  std::string buffer;
  bool clean = true;
  if (!scanner.ReadString(&text, &buffer, &clean)) return false;
  *target = text;
  return true;
}

}  // namespace

Result<ObjectHeader> ReadHeader(std::string_view json) {
  ObjectHeader header;
  JsonScanner scanner(json);
  auto take_metadata = [&](std::string_view key) {
    if (key == "name") return TakeString(scanner, &header.name);
    if (key == "namespace") return TakeString(scanner, &header.namespace_);
    if (key == "uid") return TakeString(scanner, &header.uid);
    if (key == "resourceVersion") return TakeString(scanner, &header.resource_version);
    return false;
  };
  auto take = [&](std::string_view key) {
    if (key == "kind") return TakeString(scanner, &header.kind);
    if (key == "apiVersion") return TakeString(scanner, &header.api_version);
    if (key != "metadata" || scanner.Peek() != '{') return false;
    return ReadMembers(scanner, take_metadata);
  };
  if (ReadMembers(scanner, take) && scanner.ExpectEnd()) return header;
  return Error(Code::kInvalidArgument,
               std::string(scanner.error()) + " at byte " + std::to_string(scanner.error_offset()));
}

Result<ObjectLayout> ReadLayout(std::string_view json) {
  JsonScanner scanner(json);
  ObjectLayout layout;
  bool in_front = true;  // nothing but kind and apiVersion so far
  bool found = false;
  std::string buffer;
  if (!scanner.Consume('{')) return Error(Code::kInvalidArgument, "expected an object");
  while (!found && scanner.Peek() == '"') {
    if (in_front) layout.members = scanner.offset();
    std::string_view key;
    bool clean = true;
    if (!scanner.ReadString(&key, &buffer, &clean) || !scanner.Consume(':')) break;
    in_front = in_front && (key == "kind" || key == "apiVersion");
    found = key == "metadata";
    if (!found && !(scanner.SkipValue(kMaxDepth) && scanner.Consume(','))) break;
  }
  if (!found || !scanner.Consume('{')) {
    return Error(Code::kInvalidArgument, "the object has no metadata");
  }
  layout.version = scanner.offset();
  while (scanner.Peek() == '"') {
    std::string_view key;
    bool clean = true;
    if (!scanner.ReadString(&key, &buffer, &clean) || !scanner.Consume(':')) break;
    if (key != "name" && key != "generateName" && key != "namespace" && key != "uid") break;
    if (!scanner.SkipValue(kMaxDepth)) break;
    layout.version = scanner.offset();
    layout.comma_before = true;
    if (!scanner.Consume(',')) break;
  }
  if (scanner.failed()) return Error(Code::kInvalidArgument, scanner.error());
  layout.comma_after = !layout.comma_before && json.substr(layout.version, 1) != "}";
  return layout;
}

Result<ObjectPtr> Object::FromJson(std::string json, const Type* type) {
  TRY(ObjectHeader header, ReadHeader(json));
  return ObjectPtr(new Object(std::move(header), std::move(json), type));
}

Result<ObjectPtr> Object::FromDecoded(AnyObject decoded) {
  std::string json;
  TRY_VOID(EncodeJson(decoded.type(), decoded.get(), &json));
  TRY(ObjectHeader header, ReadHeader(json));
  std::shared_ptr<Object> object(new Object(std::move(header), std::move(json), &decoded.type()));
  std::call_once(object->once_, [&] { object->decoded_ = std::move(decoded); });
  return ObjectPtr(std::move(object));
}

Result<const void*> Object::decoded() const {
  if (!type_) {
    return Error(Code::kUnsupported, "kind " + header_.kind + " is unknown to this program");
  }
  std::call_once(once_, [this] {
    AnyObject object(*type_);
    DecodeOptions options;
    options.strict = false;
    Result<void> result = DecodeJsonInto(json_, *type_, object.get(), options);
    if (result.ok()) {
      decoded_ = std::move(object);
    } else {
      decode_error_ = result.error().message();
    }
  });
  if (!decoded_) return Error(Code::kInvalidArgument, decode_error_);
  return decoded_.get();
}

}  // namespace podium::reflect

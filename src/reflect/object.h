// Object: one stored or transmitted API object of any kind. Its JSON bytes are made once and serve
// every reader; the decoded form is made when somebody asks. Immutable and shared: to change one,
// decode a copy, change it, and make a new Object.
//
// The engine knows no kinds here: what every object has (apiVersion, kind, metadata's name and so
// on) is read from the JSON text.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::reflect {

// What every API object says of itself. Absent fields are empty.
struct ObjectHeader {
  std::string api_version;
  std::string kind;
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
};

// Reads the header without decoding the rest; of fields of another JSON type it takes nothing.
// kInvalidArgument when the text is no JSON object.
Result<ObjectHeader> ReadHeader(std::string_view json);

// Where an object's text, as EncodeJson writes it, is cut for those who show it to others without
// decoding it. Offsets are bytes from the beginning.
struct ObjectLayout {
  // Of the first member behind kind and apiVersion: where an element of a typed list begins.
  size_t members = 1;
  // Where a resourceVersion is put in: behind name, namespace and uid.
  size_t version = 0;
  // What has to stand around it there.
  bool comma_before = false;
  bool comma_after = false;
};
// Reads no further than it has to. kInvalidArgument when the text is no object that has metadata.
Result<ObjectLayout> ReadLayout(std::string_view json);

class Object;
using ObjectPtr = std::shared_ptr<const Object>;

class Object {
 public:
  // From JSON text, which is kept as it is; `type` may be null (kind unknown to this program) and
  // outlives the object. The text is checked when it is decoded, its header now.
  static Result<ObjectPtr> FromJson(std::string json, const Type* type);
  // From a decoded object, which is encoded once and kept as the decoded form.
  static Result<ObjectPtr> FromDecoded(AnyObject decoded);

  const ObjectHeader& header() const { return header_; }
  const std::string& json() const { return json_; }
  // Null when the kind is unknown.
  const Type* type() const { return type_; }

  // The decoded form, made at the first call and kept; the pointer lives as long as this object.
  // Safe from many threads. kUnsupported when the type is unknown.
  Result<const void*> decoded() const;
  // The decoded form as a T; kInvalidArgument when the object is of another type.
  template <class T>
  Result<const T*> As() const {
    if (type_ != &TypeOf<T>()) return Error(Code::kInvalidArgument, "object is a " + header_.kind);
    TRY(const void* object, decoded());
    return static_cast<const T*>(object);
  }

 private:
  Object(ObjectHeader header, std::string json, const Type* type)
      : header_(std::move(header)), json_(std::move(json)), type_(type) {}

  const ObjectHeader header_;
  const std::string json_;
  const Type* const type_;
  mutable std::once_flag once_;
  mutable AnyObject decoded_;         // written once under once_
  mutable std::string decode_error_;  // likewise
};

}  // namespace podium::reflect

// JSON in and out of described objects.
//
// Decoding reads RFC 8259 text into an object of a known type and goes on after a mistake, so that
// one pass names every unknown field, duplicate key and wrong type by its path; only broken syntax
// or an exceeded limit ends it. Field names are case-sensitive, as upstream's. Encoding writes
// fields in declaration order with upstream's omission rules and escapes (<, >, &, U+2028, U+2029).
//
// Hostile input: depth, problems and the memory of the decoded form are limited; time is linear in
// the size of the text. Functions here keep no state and may run on any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::reflect {

struct Problem {
  enum class Kind {
    kSyntax,          // not JSON; decoding ended here
    kLimit,           // too deep, or too large when decoded; decoding ended here
    kUnknownField,    // strict only
    kDuplicateField,  // strict only
    kInvalidUtf8,     // strict only; otherwise each bad byte becomes U+FFFD, as upstream does
    kWrongType,       // a value of another JSON type, or a number that does not fit
    kInvalidValue,    // the right JSON type, but the text cannot be read (a quantity, a time)
  };
  Kind kind;
  std::string path;     // spec.containers[0].ports[1].hostPort; empty for the whole
  std::string message;  // without the path
  size_t offset;        // of the key (unknown, duplicate) or the value, in bytes

  // kUnknownField and kDuplicateField as upstream's strict decoder words them, e.g.
  // `unknown field "spec.foo"`; otherwise "<path>: <message>".
  std::string Text() const;
};

struct DecodeOptions {
  // Unknown fields, duplicate keys and invalid UTF-8 are problems. Otherwise they are passed over,
  // and of a key that comes twice the last one counts.
  bool strict = true;
  // Nesting of objects and lists. The deepest API type that does not recurse needs 20; upstream
  // gives up at 10,000.
  size_t max_depth = 1000;
  size_t max_problems = 100;
  // The decoded form may take this many times the text's size, and 1 MiB in any case: an element
  // "{}" is three bytes of text and up to two thousand in memory.
  size_t max_expansion = 64;
};

// Decodes `json` into *object, a default-made object of `type`. An empty list means that all went
// well; otherwise the object holds what could be read and is valid, but should not be stored.
[[nodiscard]] std::vector<Problem> DecodeJson(std::string_view json, const Type& type, void* object,
                                              const DecodeOptions& options = {});

// The same into a T; the error joins all problems, one to a line.
Result<void> DecodeJsonInto(std::string_view json, const Type& type, void* object,
                            const DecodeOptions& options = {});
template <class T>
Result<T> FromJson(std::string_view json, const DecodeOptions& options = {}) {
  T object;
  TRY_VOID(DecodeJsonInto(json, TypeOf<T>(), &object, options));
  return object;
}

// Decodes one value of a field's element: what stands in a list or map, or the field's own value
// for the other shapes. `target` is the address of the field's storage.
[[nodiscard]] std::vector<Problem> DecodeJsonField(std::string_view json, const Field& field,
                                                   void* target, const DecodeOptions& options = {});

// Appends the object's JSON, without white space. kInvalidArgument when a value has no JSON form
// (a number that is infinite or NaN, raw bytes that are not JSON); *out is then unchanged.
Result<void> EncodeJson(const Type& type, const void* object, std::string* out);

// Appends the JSON of one field's value, as EncodeJson writes it behind the key.
Result<void> EncodeJsonField(const Field& field, const void* value, std::string* out);

template <class T>
Result<std::string> ToJson(const T& object) {
  std::string out;
  TRY_VOID(EncodeJson(TypeOf<T>(), &object, &out));
  return out;
}

// Appends `text` as a JSON string, quotes included, with upstream's escapes. Bytes that are not
// UTF-8 become \ufffd.
void AppendJsonString(std::string_view text, std::string* out);

// True when JSON leaves the field out, because it is empty and marked so.
bool IsOmitted(const Field& field, const void* value);

}  // namespace podium::reflect

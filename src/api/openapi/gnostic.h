// OpenAPI v2 as protobuf: the message openapi.v2.Document of gnostic (openapiv2/OpenAPIv2.proto),
// made of the JSON of its parts. Private to api/openapi.
#pragma once

#include <string>
#include <string_view>

#include "reflect/json_value.h"

namespace podium::api::openapi {

// The kinds of values that a document is made of; each is a table of fields in gnostic.cpp.
enum class Message {
  kDocument,
  kInfo,
  kSchema,
  kPathItem,
  kParameter,
  kSecurityDefinition,
};

// The message of a JSON object, appended. Members that the message has no field for are vendor
// extensions where they begin with x-, and left out otherwise.
void AppendMessage(Message message, const reflect::JsonValue& value, std::string* out);

// One entry of an object of named values (paths, definitions, parameters), as a field: `number` is
// that of the entries in their message.
void AppendNamed(uint32_t number, std::string_view name, Message message,
                 const reflect::JsonValue& value, std::string* out);

}  // namespace podium::api::openapi

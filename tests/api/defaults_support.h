// What the tests of defaulting share: objects written as JSON, changed by path.
#pragma once

#include <boost/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace podium::api::test {

namespace json = boost::json;

// One rule: with the field unset, defaulting gives `value`; set to `other`, it stays.
struct Row {
  const char* kind;             // a key of kBaseObjects
  const char* path;             // spec/containers/0/image; a '/' within a key is "~1"
  const char* value;            // JSON; null when the field stays absent
  const char* other = nullptr;  // JSON; null where setting is not a case of its own
  const char* edits = "{}";     // paths and values to set first; null removes
};

// A small valid object; `kind` is "pod", "deployment", "policy/v1beta1/pdb" ...
json::value BaseObject(std::string_view kind);

// Null when there is nothing at the path.
const json::value* Find(const json::value& object, std::string_view path);
// Makes what lacks on the way: objects, and lists where a part of the path is a number.
void Set(json::value& object, std::string_view path, json::value value);
void Remove(json::value& object, std::string_view path);
void Edit(json::value& object, std::string_view edits);

// Decodes strictly into the object's type, defaults and encodes. Fails the test when it cannot.
json::value Defaulted(const json::value& object);

// Checks every row, both ways, and that a second round changes nothing.
void CheckRows(std::span<const Row> rows);

}  // namespace podium::api::test

// Tests of validation as goldens: a valid object as JSON, edits to it, and the full text of every
// error, in order. An error that is not listed, missing or out of place fails.
//
//   constexpr char kBase[] = R"({"metadata": {"name": "c"}, "data": {"k": "v"}})";
//   EXPECT_THAT(Errors(Edited(kBase, {"data['b ad']=\"x\""})), ElementsAre("data[b ad]: ..."));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/defaults.h"
#include "api/field_errors.h"
#include "reflect/json.h"

namespace podium::api {

// The JSON after each edit in turn. An edit is "path=json", or "path" to remove what is there,
// which must be:
//   spec.containers[0].image="x"     members and items; what is missing on the way is made
//   metadata.annotations['a/b']="x"  keys that are no words; without = and ]
//   spec.volumes[1]={"name": "v"}    one behind the last item appends
std::string Edited(std::string_view json, const std::vector<std::string>& edits);

// Strictly decoded and with its defaults; fails the test where the JSON does not fit the type.
template <class T>
T Load(std::string_view json) {
  Result<T> object = reflect::FromJson<T>(json);
  if (!object.ok()) {
    ADD_FAILURE() << object.error().message() << "\n" << json;
    return T();
  }
  SetDefaults(*object, DefaultOptions{});
  return *std::move(object);
}

inline std::vector<std::string> Texts(const field::ErrorList& errors) {
  std::vector<std::string> texts;
  for (const field::Error& error : errors) texts.push_back(error.Text());
  return texts;
}

// One row of a table: edits, and the errors they lead to.
struct ErrorCase {
  std::vector<std::string> edits;
  std::vector<std::string> errors;
};

// Runs rows over a base: `validate` takes the edited JSON and returns the texts of its errors.
template <class Validate>
void ExpectErrors(std::string_view base, const std::vector<ErrorCase>& cases, Validate validate) {
  for (const ErrorCase& c : cases) {
    const std::string json = Edited(base, c.edits);
    EXPECT_THAT(validate(json), ::testing::ElementsAreArray(c.errors)) << json;
  }
}

}  // namespace podium::api

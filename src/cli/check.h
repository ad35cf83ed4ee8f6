// What is wrong with a document: reads it strictly, fills in the defaults and validates it, as an
// API server would on create. Knows the API and no files.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/input.h"

namespace podium::cli {

struct ObjectName {
  std::string api_version;
  std::string kind;
  std::string namespace_;
  std::string name;
};

struct Finding {
  reflect::Position position;
  ObjectName object{};  // what the document says; parts may be empty
  std::string path{};   // of the field, from the document's root; empty for the whole
  std::string reason;   // for tools: FieldValueRequired as in a Status, UnknownField, Syntax ...
  std::string message;  // for people
  bool names_path = false;  // the message does so itself

  // The path and the message.
  std::string Text() const;
};

struct CheckOptions {
  // Off: whether it can be read is all that is asked.
  bool rules = true;
  // Documents whose kind is not known (custom resources) are passed over.
  bool ignore_unknown_kinds = false;
};

struct CheckResult {
  size_t objects = 0;  // a List counts as its items
  size_t ignored = 0;  // of unknown kinds
  std::vector<Finding> findings;
};

// Adds the document's objects and findings to *result; findings in the order of the text. A line is
// that of the field, and of a field that is missing, that of the nearest parent that is there. What
// only follows from another finding is left out: a required field that is there and has the wrong
// type, for instance.
void CheckDocument(const Document& document, const CheckOptions& options, CheckResult* result);

}  // namespace podium::cli

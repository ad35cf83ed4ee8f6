#include "api/structural/schema_path.h"

#include <algorithm>
#include <utility>

namespace podium::api {
namespace {

using reflect::Structural;

Error Bad(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

// '.', '[' and ']' each by itself, strings in single quotes with their quotes, and what stands
// between.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  bool Next(std::string_view* token) {
    if (rest_.empty()) return false;
    *token = rest_.substr(0, Length());
    rest_.remove_prefix(token->size());
    return true;
  }

 private:
  size_t Length() const {
    if (rest_[0] != '\'') return std::clamp<size_t>(rest_.find_first_of(".[]"), 1, rest_.size());
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\'' && rest_[i - 1] != '\\') return i + 1;
    }
    return rest_.size();
  }

  std::string_view rest_;
};

// What stands between single quotes, with the escapes of CEL's strings.
Result<std::string> Unescaped(std::string_view quoted) {
  constexpr std::string_view kEscapes = "abfnrtv'\\";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v'\\";
  std::string out;
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\' || i + 1 == quoted.size()) {
      out += quoted[i];
      continue;
    }
    const size_t escape = kEscapes.find(quoted[++i]);
    if (escape == std::string_view::npos) {
      return Bad("invalid string literal: invalid escape char \\" + std::string(1, quoted[i]));
    }
    out += kValues[escape];
  }
  return out;
}

class Finder {
 public:
  explicit Finder(const Structural& schema) { found_.schema = &schema; }

  Result<SchemaPath> Find(std::string_view path, Brackets brackets) {
    Tokens tokens(path);
    for (std::string_view token; tokens.Next(&token);) {
      if (token == ".") {
        if (!tokens.Next(&token)) return Bad("unexpected end of JSON path");
        TRY_VOID(Step(token));
      } else if (token == "[") {
        if (brackets == Brackets::kForbidden) return Bad("array notation is not allowed");
        TRY_VOID(InBrackets(&tokens));
      } else {
        return Bad("expected [ or . but got: " + std::string(token));
      }
    }
    return std::move(found_);
  }

 private:
  Result<void> InBrackets(Tokens* tokens) {
    std::string_view token;
    if (!tokens->Next(&token)) return Bad("unexpected end of JSON path");
    if (token.size() < 2 || token.front() != '\'' || token.back() != '\'') {
      return Bad("expected single quoted string but got " + std::string(token));
    }
    TRY(const std::string name, Unescaped(token.substr(1, token.size() - 2)));
    TRY_VOID(Step(name));
    if (!tokens->Next(&token)) return Bad("unexpected end of JSON path");
    if (token != "]") return Bad("expected ] but got " + std::string(token));
    return {};
  }

  Result<void> Step(std::string_view name) {
    const Structural* schema = found_.schema;
    std::string part(name);
    if (schema && !schema->properties.empty()) {
      const auto property = schema->properties.find(name);
      if (property == schema->properties.end()) return Bad("does not refer to a valid field");
      found_.schema = &property->second;
      if (!found_.text.empty()) found_.text += '.';
    } else if (schema && schema->has_additional_properties) {
      found_.schema = schema->additional_properties.get();
      part = "[" + part + "]";
    } else {
      return Bad("does not refer to a valid field");
    }
    if (found_.root.empty()) found_.root = part;
    found_.text += part;
    return {};
  }

  SchemaPath found_;
};

}  // namespace

Result<SchemaPath> FindSchemaPath(const Structural& schema, std::string_view path,
                                  Brackets brackets) {
  return Finder(schema).Find(path, brackets);
}

}  // namespace podium::api

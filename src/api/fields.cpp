#include "api/fields.h"

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api::fields {
namespace {

bool IsSpecial(char c) { return c == '\\' || c == ',' || c == '='; }

// The terms between commas that are not escaped.
std::vector<std::string_view> SplitTerms(std::string_view text) {
  std::vector<std::string_view> terms;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(start));
  return terms;
}

// Splits at the first operator; the value is left as it is. False when there is none.
bool SplitTerm(std::string_view term, Requirement* requirement, std::string_view* value) {
  size_t at = 0;
  while (at < term.size() && term[at] != '=' && !term.substr(at).starts_with("!=")) ++at;
  if (at == term.size()) return false;
  requirement->field = term.substr(0, at);
  requirement->negated = term[at] == '!';
  *value = term.substr(at);
  value->remove_prefix(requirement->negated || value->starts_with("==") ? 2 : 1);
  return true;
}

}  // namespace

std::string EscapeValue(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (IsSpecial(c)) out += '\\';
    out += c;
  }
  return out;
}

Result<std::string> UnescapeValue(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ',' || c == '=') {
      // Upstream prints the character's number.
      return Error(
          Code::kInvalidArgument,
          "invalid field selector: unescaped character in value: " + std::to_string(int{c}));
    }
    if (c == '\\') {
      ++i;
      if (i == text.size() || !IsSpecial(text[i])) {
        size_t size =
            i == text.size() ? 0 : std::max<size_t>(1, reflect::Utf8Length(text.substr(i)));
        return Error(Code::kInvalidArgument,
                     "invalid field selector: invalid escape sequence: \\" +
                         std::string(text.substr(std::min(i, text.size()), size)));
      }
      c = text[i];
    }
    out += c;
  }
  return out;
}

std::string Requirement::String() const {
  return field + (negated ? "!=" : "=") + EscapeValue(value);
}

Result<Selector> Selector::Parse(std::string_view text) {
  std::vector<std::string_view> terms = SplitTerms(text);
  std::ranges::sort(terms);
  Selector selector;
  for (std::string_view term : terms) {
    if (term.empty()) continue;
    Requirement requirement;
    std::string_view value;
    if (!SplitTerm(term, &requirement, &value)) {
      return Error(Code::kInvalidArgument, "invalid selector: '" + std::string(text) +
                                               "'; can't understand '" + std::string(term) + "'");
    }
    TRY(requirement.value, UnescapeValue(value));
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

std::optional<std::string> Selector::RequiresExactMatch(std::string_view field) const {
  for (const Requirement& requirement : requirements_) {
    if (!requirement.negated && requirement.field == field) return requirement.value;
  }
  return {};
}

std::string Selector::String() const { return Join(requirements_, ",", &Requirement::String); }

}  // namespace podium::api::fields

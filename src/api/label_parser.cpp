// The text form of label selectors. Errors name what was found and what was expected, as upstream's
// parser does.
#include <algorithm>
#include <set>

#include "api/labels.h"
#include "api/names.h"

namespace podium::api::labels {
namespace {

struct Token {
  enum class Kind {
    kEnd,
    kIdentifier,
    kIn,
    kNotIn,
    kEquals,
    kDoubleEquals,
    kNotEquals,
    kGreaterThan,
    kLessThan,
    kNot,
    kComma,
    kOpen,
    kClose,
  };
  Kind kind;
  std::string_view text;
};
using Kind = Token::Kind;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsSymbol(char c) { return std::string_view("=!(),><").contains(c); }

Token NextSymbol(std::string_view text) {
  constexpr Token kSymbols[] = {
      {Kind::kDoubleEquals, "=="}, {Kind::kNotEquals, "!="},  {Kind::kEquals, "="},
      {Kind::kNot, "!"},           {Kind::kGreaterThan, ">"}, {Kind::kLessThan, "<"},
      {Kind::kComma, ","},         {Kind::kOpen, "("},        {Kind::kClose, ")"},
  };
  for (const Token& symbol : kSymbols) {
    if (text.starts_with(symbol.text)) return symbol;
  }
  return {Kind::kEnd, {}};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) { Advance(); }

  Result<std::vector<Requirement>> Parse();

 private:
  // Operators that are words count as such only where an operator may stand: keys and values can
  // be called "in".
  enum class Words { kAsIdentifiers, kAsOperators };

  void Advance();
  Token Peek(Words words = Words::kAsIdentifiers) const {
    bool word = next_.kind == Kind::kIn || next_.kind == Kind::kNotIn;
    if (word && words == Words::kAsIdentifiers) return {Kind::kIdentifier, next_.text};
    return next_;
  }
  Token Take(Words words = Words::kAsIdentifiers) {
    Token token = Peek(words);
    Advance();
    return token;
  }
  static Error Found(const Token& token, std::string_view expected) {
    return Error(Code::kInvalidArgument,
                 "found '" + std::string(token.text) + "'" + std::string(expected));
  }

  Result<Requirement> ParseRequirement();
  Result<Operator> ParseOperator();
  // Sets, for upstream drops repeated values and sorts the rest.
  Result<std::set<std::string>> ParseValues();
  Result<std::set<std::string>> ParseValueList();
  Result<std::set<std::string>> ParseExactValue();

  std::string_view rest_;
  Token next_{Kind::kEnd, {}};
};

void Parser::Advance() {
  rest_.remove_prefix(
      static_cast<size_t>(std::ranges::find_if_not(rest_, IsSpace) - rest_.begin()));
  if (rest_.empty()) {
    next_ = {Kind::kEnd, {}};
    return;
  }
  if (IsSymbol(rest_.front())) {
    next_ = NextSymbol(rest_);
  } else {
    auto end = std::ranges::find_if(rest_, [](char c) { return IsSpace(c) || IsSymbol(c); });
    next_ = {Kind::kIdentifier, {rest_.begin(), end}};
    if (next_.text == "in") next_.kind = Kind::kIn;
    if (next_.text == "notin") next_.kind = Kind::kNotIn;
  }
  rest_.remove_prefix(next_.text.size());
}

Result<std::vector<Requirement>> Parser::Parse() {
  std::vector<Requirement> requirements;
  for (;;) {
    Token token = Peek();
    if (token.kind == Kind::kEnd) return requirements;
    if (token.kind != Kind::kIdentifier && token.kind != Kind::kNot) {
      return Found(token, ", expected: !, identifier, or 'end of string'");
    }
    Result<Requirement> requirement = ParseRequirement();
    if (!requirement.ok()) {
      return std::move(requirement).error().WithContext("unable to parse requirement");
    }
    requirements.push_back(*std::move(requirement));

    token = Take();
    if (token.kind == Kind::kEnd) return requirements;
    if (token.kind != Kind::kComma) return Found(token, ", expected: ',' or 'end of string'");
    token = Peek();
    if (token.kind != Kind::kIdentifier && token.kind != Kind::kNot) {
      return Found(token, ", expected: identifier after ','");
    }
  }
}

Result<Requirement> Parser::ParseRequirement() {
  Token token = Take();
  bool negated = token.kind == Kind::kNot;
  if (negated) token = Take();
  if (token.kind != Kind::kIdentifier) return Found(token, ", expected: identifier");
  std::string key(token.text);
  if (Messages messages = IsQualifiedName(key); !messages.empty()) {
    std::string joined = messages.front();
    for (size_t i = 1; i < messages.size(); ++i) joined += "; " + messages[i];
    return Error(Code::kInvalidArgument, field::Invalid(field::Path(), key, joined).Text());
  }
  if (negated) return Requirement::Create(std::move(key), Operator::kDoesNotExist, {});
  if (Peek().kind == Kind::kEnd || Peek().kind == Kind::kComma) {
    return Requirement::Create(std::move(key), Operator::kExists, {});
  }
  TRY(Operator op, ParseOperator());
  bool is_set = op == Operator::kIn || op == Operator::kNotIn;
  TRY(std::set<std::string> values, is_set ? ParseValues() : ParseExactValue());
  return Requirement::Create(std::move(key), op, {values.begin(), values.end()});
}

Result<Operator> Parser::ParseOperator() {
  Token token = Take(Words::kAsOperators);
  switch (token.kind) {
    case Kind::kIn:
      return Operator::kIn;
    case Kind::kNotIn:
      return Operator::kNotIn;
    case Kind::kEquals:
      return Operator::kEquals;
    case Kind::kDoubleEquals:
      return Operator::kDoubleEquals;
    case Kind::kNotEquals:
      return Operator::kNotEquals;
    case Kind::kGreaterThan:
      return Operator::kGreaterThan;
    case Kind::kLessThan:
      return Operator::kLessThan;
    default:
      return Found(token, ", expected: in, notin, =, ==, !=, gt, lt");
  }
}

Result<std::set<std::string>> Parser::ParseValues() {
  Token token = Take();
  if (token.kind != Kind::kOpen) return Found(token, " expected: '('");
  token = Peek();
  switch (token.kind) {
    case Kind::kIdentifier:
    case Kind::kComma:
      return ParseValueList();
    case Kind::kClose:
      Advance();
      return std::set<std::string>{""};
    default:
      return Found(token, ", expected: ',', ')' or identifier");
  }
}

// The values up to the closing parenthesis, which is taken too. An empty value stands wherever a
// comma has no neighbour.
Result<std::set<std::string>> Parser::ParseValueList() {
  std::set<std::string> values;
  for (;;) {
    Token token = Take();
    if (token.kind == Kind::kIdentifier) {
      values.insert(std::string(token.text));
      token = Peek();
      if (token.kind != Kind::kComma && token.kind != Kind::kClose) {
        return Found(token, ", expected: ',' or ')'");
      }
    } else if (token.kind == Kind::kComma) {
      if (values.empty()) values.insert("");
      if (Peek().kind == Kind::kClose || Peek().kind == Kind::kComma) values.insert("");
    } else {
      return Found(token, ", expected: ',', or identifier");
    }
    if (Peek().kind == Kind::kClose) {
      Advance();
      return values;
    }
  }
}

Result<std::set<std::string>> Parser::ParseExactValue() {
  Token token = Peek();
  if (token.kind == Kind::kEnd || token.kind == Kind::kComma) return std::set<std::string>{""};
  Advance();
  if (token.kind == Kind::kIdentifier) return std::set<std::string>{std::string(token.text)};
  return Found(token, ", expected: identifier");
}

}  // namespace

Result<Selector> Selector::Parse(std::string_view text) {
  TRY(std::vector<Requirement> requirements, Parser(text).Parse());
  Selector selector;
  selector.Add(std::move(requirements));
  return selector;
}

}  // namespace podium::api::labels

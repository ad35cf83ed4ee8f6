#include "apiserver/authentication/static_tokens.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "apiserver/authentication/known_user.h"
#include "base/text.h"
#include "pki/digest.h"

namespace podium::apiserver {
namespace {

// Records of CSV (RFC 4180) as Go's encoding/csv reads them: empty lines are passed over, and
// quotes stand only around a whole field.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  // Nothing at the end.
  Result<std::optional<std::vector<std::string>>> Next() {
    while (!text_.empty() && (text_.starts_with('\n') || text_.starts_with("\r\n"))) EndLine();
    if (text_.empty()) return std::optional<std::vector<std::string>>();
    std::vector<std::string> record;
    for (;;) {
      TRY(std::string field, Field());
      record.push_back(std::move(field));
      if (!text_.starts_with(',')) break;
      text_.remove_prefix(1);
    }
    EndLine();
    return std::optional(std::move(record));
  }

 private:
  Result<std::string> Field() {
    if (text_.starts_with('"')) return QuotedField();
    const size_t end = std::min(text_.find_first_of(",\n"), text_.size());
    std::string_view field = text_.substr(0, end);
    text_.remove_prefix(end);
    if (field.ends_with('\r') && !text_.starts_with(',')) field.remove_suffix(1);
    if (field.contains('"')) return Wrong("bare \" in non-quoted field");
    return std::string(field);
  }

  Result<std::string> QuotedField() {
    std::string field;
    text_.remove_prefix(1);
    for (;;) {
      const size_t quote = text_.find('"');
      if (quote == text_.npos) return Wrong("extraneous or missing \" in quoted-field");
      for (const char c : text_.substr(0, quote)) {
        if (c == '\n') ++line_;
      }
      field += text_.substr(0, quote);
      text_.remove_prefix(quote + 1);
      if (!text_.starts_with('"')) break;
      field += '"';
      text_.remove_prefix(1);
    }
    if (text_.empty() || text_[0] == ',' || text_[0] == '\n' || text_.starts_with("\r\n")) {
      return field;
    }
    return Wrong("extraneous or missing \" in quoted-field");
  }

  void EndLine() {
    if (text_.starts_with('\r')) text_.remove_prefix(1);
    if (!text_.starts_with('\n')) return;
    text_.remove_prefix(1);
    ++line_;
  }

  Error Wrong(std::string_view what) const {
    return Error(Code::kInvalidArgument, fmt::format("parse error on line {}: {}", line_, what));
  }

  std::string_view text_;
  size_t line_ = 1;
};

}  // namespace

Result<std::unique_ptr<StaticTokens>> StaticTokens::Create(std::string_view csv,
                                                           const std::string& name) {
  std::unique_ptr<StaticTokens> tokens(new StaticTokens);
  CsvReader reader(csv);
  for (size_t number = 1;; ++number) {
    auto record = reader.Next();
    if (!record.ok()) return std::move(record).error().WithContext(name);
    if (!*record) return tokens;
    std::vector<std::string>& fields = **record;
    if (fields.size() < 3) {
      return Error(Code::kInvalidArgument,
                   fmt::format("token file '{}' must have at least 3 columns (token, user name, "
                               "user uid), found {}",
                               name, fields.size()));
    }
    if (fields[0].empty()) {
      tokens->notes_.push_back(fmt::format("{}: record {} has an empty token", name, number));
      continue;
    }
    Authenticated who = {.user = {.name = fields[1], .uid = fields[2]}};
    if (fields.size() >= 4) {
      for (const std::string_view group : Split(fields[3], ','))
        who.user.groups.emplace_back(group);
    }
    const auto [at, is_new] =
        tokens->users_.insert_or_assign(pki::Sha256(fields[0]), KnownUser(std::move(who)));
    if (!is_new) {
      tokens->notes_.push_back(
          fmt::format("{}: record {} has the token of one before, and counts", name, number));
    }
  }
}

Result<AuthenticatedPtr> StaticTokens::AuthenticateToken(
    std::string_view token, std::span<const std::string> /*audiences*/) {
  // By the digest, so that the time it takes says nothing of the tokens.
  const auto found = users_.find(pki::Sha256(token));
  return found != users_.end() ? found->second : nullptr;
}

}  // namespace podium::apiserver

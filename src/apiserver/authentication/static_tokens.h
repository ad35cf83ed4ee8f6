// Tokens of a file (upstream's --token-auth-file, k8s.io/apiserver/pkg/authentication/token/
// tokenfile): lines of CSV, token,user,uid and maybe "group1,group2". Read once, at the start.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/authentication/authenticator.h"

namespace podium::apiserver {

class StaticTokens final : public TokenAuthenticator {
 public:
  // `name` is the file's, for messages. kInvalidArgument.
  static Result<std::unique_ptr<StaticTokens>> Create(std::string_view csv,
                                                      const std::string& name);

  Result<AuthenticatedPtr> AuthenticateToken(std::string_view token,
                                             std::span<const std::string> audiences) override;

  // Lines that have no effect: without a token, or with one that comes twice (the last counts).
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  StaticTokens() = default;
  std::map<std::string, AuthenticatedPtr, std::less<>> users_;  // by the token's SHA-256
  std::vector<std::string> notes_;
};

}  // namespace podium::apiserver

// A fake server that makes tokens of service accounts: "token-1", "token-2" …
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/types/authentication_v1.h"
#include "client/fake_server.h"

namespace podium::node {

class TokenServer : public client::FakeServer {
 public:
  explicit TokenServer(const Clock& clock) : FakeServer(clock), token_clock_(clock) {}

  struct Asked {
    client::Target target;
    api::authentication::v1::TokenRequest request;
  };
  std::vector<Asked> asked;
  std::optional<Error> refuses;

  Result<client::SharedObject> Create(const client::Target& target,
                                      const client::ObjectView& object,
                                      const api::meta::v1::CreateOptions& options) override {
    using api::authentication::v1::TokenRequest;
    if (target.subresource != "token") return FakeServer::Create(target, object, options);
    TokenRequest request = *static_cast<const TokenRequest*>(object.object);
    asked.push_back({target, request});
    if (refuses) return *refuses;
    if (!request.spec.expirationSeconds) request.spec.expirationSeconds = 3600;
    request.status.token = "token-" + std::to_string(asked.size());
    request.status.expirationTimestamp = api::Time::FromUnix(
        (token_clock_.Now() / kNanosPerSecond) + *request.spec.expirationSeconds);
    return client::SharedObject(std::make_shared<const TokenRequest>(std::move(request)));
  }

 private:
  const Clock& token_clock_;
};

}  // namespace podium::node

// create token (upstream's k8s.io/kubectl/pkg/cmd/create, create_token.go).

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "api/types/authentication_v1.h"
#include "cli/create_kind.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

using api::authentication::v1::TokenRequest;
using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<void> CheckBound(const Invocation& invocation) {
  const std::string_view kind = invocation.Get("bound-object-kind");
  const std::string_view name = invocation.Get("bound-object-name");
  if (kind.empty()) {
    if (!name.empty()) {
      return Usage("--bound-object-name can only be set if --bound-object-kind is provided");
    }
    if (!invocation.Get("bound-object-uid").empty()) {
      return Usage("--bound-object-uid can only be set if --bound-object-kind is provided");
    }
    return {};
  }
  if (kind != "Pod" && kind != "Secret" && kind != "Node") {
    return Usage("supported --bound-object-kind values are Node, Pod, Secret");
  }
  if (name.empty()) {
    return Usage("--bound-object-name is required if --bound-object-kind is provided");
  }
  return {};
}

Result<TokenRequest> RequestOf(const Invocation& invocation) {
  TRY(const auto duration, TimeOption(invocation, "duration"));
  if (duration.count() < 0) return Usage("--duration must be greater than or equal to 0");
  if (duration % std::chrono::seconds(1) != std::chrono::nanoseconds(0)) {
    return Usage("--duration cannot be expressed in units less than seconds");
  }
  const auto audiences = invocation.All("audience");
  if (std::ranges::find(audiences, "") != audiences.end()) {
    return Usage("--audience must not be an empty string");
  }
  TRY_VOID(CheckBound(invocation));
  TokenRequest request;
  request.kind = "TokenRequest";
  request.apiVersion = "authentication.k8s.io/v1";
  request.spec.audiences = audiences;
  if (duration.count() > 0) {
    request.spec.expirationSeconds =
        std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  }
  if (!invocation.Get("bound-object-kind").empty()) {
    auto& bound = request.spec.boundObjectRef.emplace();
    bound.kind = invocation.Get("bound-object-kind");
    bound.apiVersion = "v1";
    bound.name = invocation.Get("bound-object-name");
    bound.uid = invocation.Get("bound-object-uid");
  }
  return request;
}

Result<JsonValue> Ask(Server& server, const std::string& name, const TokenRequest& token) {
  const ServerResource accounts{.group = "",
                                .version = "v1",
                                .plural = "serviceaccounts",
                                .singular = "",
                                .kind = "ServiceAccount",
                                .namespaced = true};
  ServerRequest request;
  request.method = "POST";
  TRY(request.path, accounts.Path(server.namespace_(), name, "token"));
  TRY(request.body, reflect::ToJson(token));
  auto answer = server.AskJson(request);
  if (!answer.ok()) return Usage("failed to create token: " + answer.error().message());
  return AsStruct(reflect::TypeOf<TokenRequest>(), *answer);
}

Result<Outcome> Run(const Invocation& invocation, const Streams& streams) {
  TRY(const auto words, NameAndWords(invocation, "create token"));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const auto printer, PrinterOf(invocation, MemberOrder::kAsTheyStand));
  if (words.front().empty()) return Usage("service account name is required");
  TRY(const TokenRequest request, RequestOf(invocation));
  TRY(const JsonValue answer, Ask(*server, words.front(), request));
  std::string out(TextAt(answer, {"status", "token"}));
  if (out.empty()) return Usage("failed to create token: no token in server response");
  if (printer) {
    out.clear();
    TRY_VOID(printer->Print(answer, &out));
  } else if (kernel::IsTerminal(streams.out)) {
    out += '\n';
  }
  return Outcome{kOk, std::move(out), {}};
}

Outcome RunToken(const Invocation& invocation, const Streams& streams) {
  auto outcome = Run(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwn[] = {
    {.name = "audience",
     .value = "NAME",
     .help = "who is to take it; the API server if not given; may be given several times",
     .repeatable = true},
    {.name = "duration",
     .value = "TIME",
     .help = "how long it is to be good for: 10m, 24h; the server's choice if not given"},
    {.name = "bound-object-kind",
     .value = "KIND",
     .help = "Pod, Secret or Node: it ends with the object"},
    {.name = "bound-object-name", .value = "NAME", .help = "of that object"},
    {.name = "bound-object-uid", .value = "UID", .help = "of that object"},
    kChangedOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption};
constexpr auto kOptions = WithServerOptions(kOwn);

}  // namespace

Command CreateTokenCommand() {
  return {
      .name = "create token",
      .summary = "Ask for a token of a service account",
      .arguments = "ACCOUNT",
      .max_arguments = 100'000,
      .example =
          "  podium create token builder --duration=10m\n"
          "  podium create token builder --audience=https://vault.example.com\n",
      .options = kOptions,
      .live = RunToken,
  };
}

}  // namespace podium::cli

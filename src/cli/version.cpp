// kubectl version (upstream's k8s.io/kubectl/pkg/cmd/version): of this program, and of the server
// if there is one.
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/object_printer.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_options.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// The release whose types, defaults and rules are built in.
constexpr int kMajor = 1;
constexpr int kMinor = 36;

std::string Release() { return std::to_string(kMajor) + "." + std::to_string(kMinor); }

JsonValue ClientVersion() {
  JsonValue version = JsonValue::Of(JsonValue::Object());
  version.Set("major", JsonValue::String(std::to_string(kMajor)));
  version.Set("minor", JsonValue::String(std::to_string(kMinor)));
  version.Set("gitVersion", JsonValue::String("v" + Release() + ".0+podium-" + PODIUM_VERSION));
  return version;
}

// "36+" counts as 36; nothing where it is no number.
std::optional<int> NumberOf(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return {};
  return number;
}

// Clients and servers understand each other over one minor release.
std::string SkewWarning(const JsonValue& server) {
  const auto major = NumberOf(TextOf(server, "major"));
  const auto minor = NumberOf(TextOf(server, "minor"));
  if (!major || !minor || (*major == kMajor && std::abs(*minor - kMinor) <= 1)) return {};
  return "WARNING: version difference between client (" + Release() + ") and server (" +
         std::to_string(*major) + "." + std::to_string(*minor) +
         ") exceeds the supported minor version skew of +/-1\n";
}

// null where there is none: nobody has named one, and this machine has none.
Result<JsonValue> ServerVersion(const Invocation& invocation, const Streams& streams) {
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) {
    const bool named = invocation.Has("kubeconfig") || invocation.Has("context") ||
                       invocation.Has("cluster") || invocation.Has("server");
    if (server.error().code() == Code::kNotFound && !named) return JsonValue();
    return std::move(server).error();
  }
  // An agent is this program, and has no version of its own.
  if ((*server)->is_agent()) return JsonValue();
  return (*server)->AskJson({.path = "/version"});
}

Outcome RunVersion(const Invocation& invocation, const Streams& streams) {
  const std::string_view form = invocation.Get("output");
  if (!form.empty() && form != "json" && form != "yaml") {
    return ServerFailure(Error(Code::kInvalidArgument, "--output must be 'yaml' or 'json'"));
  }
  Result<JsonValue> server = JsonValue();
  if (!invocation.Has("client")) server = ServerVersion(invocation, streams);
  Outcome outcome;
  if (!server.ok()) outcome = ServerFailure(server.error());
  const bool known = server.ok() && server->is_object();
  if (known) outcome.err += SkewWarning(*server);
  if (form.empty()) {
    outcome.out = VersionText() + "\n";
    if (known) {
      const std::string text(TextOf(*server, "gitVersion"));
      outcome.out += "Server Version: " + Printable(text) + "\n";
    }
    return outcome;
  }
  JsonValue both = JsonValue::Of(JsonValue::Object());
  both.Set("clientVersion", ClientVersion());
  if (known) both.Set("serverVersion", *server);
  const auto printer = PrinterOf(form, {});
  if (!printer.ok()) return ServerFailure(printer.error());
  const auto printed = (*printer)->Print(both, &outcome.out);
  if (!printed.ok()) return ServerFailure(printed.error());
  return outcome;
}

constexpr Option kOwnOptions[] = {
    {.name = "client", .help = "of this program alone; no server is asked"},
    {.name = "output", .letter = 'o', .value = "FORM", .help = "json or yaml"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

std::string_view Version() { return PODIUM_VERSION; }

std::string VersionText() {
  return std::string("podium ") + PODIUM_VERSION + ", Kubernetes " + Release();
}

Command VersionCommand() {
  return {
      .name = "version",
      .summary = "Print the version of podium, and that of the server",
      .details =
          "The first line tells the version of podium, and of the Kubernetes API in it; podium "
          "--version tells no more than that.",
      .example =
          "  podium version\n"
          "  podium version --client -o json\n",
      .options = kOptions,
      .live = RunVersion,
  };
}

}  // namespace podium::cli

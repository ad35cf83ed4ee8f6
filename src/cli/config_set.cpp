// kubectl config set, unset, set-context, set-cluster and set-credentials.
#include <limits.h>
#include <stdlib.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/config.h"
#include "cli/input.h"
#include "cli/json_members.h"
#include "cli/server_errors.h"
#include "cli/text.h"
#include "reflect/base64.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using client::KubeConfig;
using reflect::JsonValue;
using namespace client::clientcmd::v1;  // NOLINT(google-build-using-namespace): the file's words

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Outcome Done(Result<std::string> text) {
  return text.ok() ? Outcome{kOk, *std::move(text), {}} : ServerFailure(text.error());
}

// One name, for a command that needs it.
Result<std::string> NameOf(const Invocation& invocation, std::string_view what) {
  if (invocation.arguments().size() != 1 || invocation.arguments()[0].empty()) {
    return Usage("which " + std::string(what) + "? name one");
  }
  return invocation.arguments()[0];
}

// A path for a kubeconfig of another folder: absolute.
std::string Absolute(std::string_view path) {
  std::string given(path);
  char* real = realpath(given.c_str(), nullptr);
  if (!real) return given;
  std::string out = real;
  free(real);  // NOLINT(cppcoreguidelines-no-malloc): realpath's
  return out;
}

// The file's path, or its contents where --embed-certs asks for that.
Result<void> SetFile(const Invocation& invocation, std::string_view option, std::string* path,
                     reflect::Bytes* data) {
  if (!invocation.Has(option)) return {};
  const std::string file(invocation.Get(option));
  path->clear();
  data->data.clear();
  if (!invocation.Has("embed-certs")) {
    *path = Absolute(file);
    return {};
  }
  auto text = ReadInput(file);
  if (!text.ok()) return std::move(text).error().WithContext(file);
  data->data = *std::move(text);
  return {};
}

void SetText(const Invocation& invocation, std::string_view option, std::string* text) {
  if (invocation.Has(option)) *text = invocation.Get(option);
}

Result<std::string> SetContext(const Invocation& invocation) {
  TRY(KubeConfig config, LoadConfig(invocation));
  const auto merged = config.merged();
  std::string name = merged.currentContext;
  if (!invocation.Has("current")) {
    TRY(name, NameOf(invocation, "context"));
  } else if (!invocation.arguments().empty()) {
    return Usage("unexpected args: " + Join(invocation.arguments(), " "));
  } else if (name.empty()) {
    return Usage("no current context is set");
  }
  const Context* known = client::FindContext(merged, name);
  Context context = known ? *known : Context();
  SetText(invocation, "cluster", &context.cluster);
  SetText(invocation, "user", &context.user);
  SetText(invocation, "namespace", &context.namespace_);
  config.SetContext(name, std::move(context));
  TRY_VOID(config.Save());
  return "Context " + reflect::GoQuoted(name) + (known ? " modified.\n" : " created.\n");
}

Result<std::string> SetCluster(const Invocation& invocation) {
  TRY(const std::string name, NameOf(invocation, "cluster"));
  TRY(KubeConfig config, LoadConfig(invocation));
  const auto merged = config.merged();
  const Cluster* known = client::FindCluster(merged, name);
  Cluster cluster = known ? *known : Cluster();
  SetText(invocation, "server", &cluster.server);
  if (invocation.Has("tls-server-name")) {
    cluster.tlsServerName = invocation.Get("tls-server-name");
    // Whoever names it wants it checked, as kubectl has it.
    cluster.insecureSkipTlsVerify = false;
  }
  SetText(invocation, "proxy-url", &cluster.proxyUrl);
  if (invocation.Has("insecure-skip-tls-verify")) {
    cluster.insecureSkipTlsVerify = true;
    cluster.certificateAuthority.clear();
    cluster.certificateAuthorityData = {};
  }
  TRY_VOID(SetFile(invocation, "certificate-authority", &cluster.certificateAuthority,
                   &cluster.certificateAuthorityData));
  if (invocation.Has("certificate-authority")) cluster.insecureSkipTlsVerify = false;
  config.SetCluster(name, std::move(cluster));
  TRY_VOID(config.Save());
  return "Cluster " + reflect::GoQuoted(name) + " set.\n";
}

Result<std::string> SetCredentials(const Invocation& invocation) {
  TRY(const std::string name, NameOf(invocation, "user"));
  const bool basic = invocation.Has("username") || invocation.Has("password");
  if (invocation.Has("token") && basic) {
    return Usage(
        "you cannot specify more than one authentication method at the same time: "
        "--token or --username/--password");
  }
  TRY(KubeConfig config, LoadConfig(invocation));
  const auto merged = config.merged();
  const AuthInfo* known = client::FindUser(merged, name);
  AuthInfo user = known ? *known : AuthInfo();
  TRY_VOID(SetFile(invocation, "client-certificate", &user.clientCertificate,
                   &user.clientCertificateData));
  TRY_VOID(SetFile(invocation, "client-key", &user.clientKey, &user.clientKeyData));
  if (invocation.Has("token")) {
    user.token = invocation.Get("token");
    user.tokenFile.clear();
    user.username.clear();
    user.password.clear();
  }
  if (basic) {
    SetText(invocation, "username", &user.username);
    SetText(invocation, "password", &user.password);
    user.token.clear();
    user.tokenFile.clear();
  }
  TRY_VOID(SetPrograms(invocation, name, &user));
  config.SetUser(name, std::move(user));
  TRY_VOID(config.Save());
  return "User " + reflect::GoQuoted(name) + " set.\n";
}

// contexts.NAME.FIELD, whose name may have dots in it: a field has none.
struct Property {
  std::string section;
  std::string name = {};
  std::string field = {};  // "": the whole entry
};

constexpr std::string_view kProperties =
    "current-context, contexts.NAME.FIELD, clusters.NAME.FIELD or users.NAME.FIELD";

Result<Property> PropertyOf(const std::string& text, bool whole_entries) {
  if (text == "current-context") return Property{.section = text};
  const size_t first = text.find('.');
  const std::string section = text.substr(0, first);
  const bool known = section == "contexts" || section == "clusters" || section == "users";
  if (!known || first == text.npos || first + 1 == text.size()) {
    return Usage("unable to parse " + reflect::GoQuoted(text) + ": it is " +
                 std::string(kProperties));
  }
  const size_t last = text.rfind('.');
  if (last == first) {
    if (whole_entries) return Property{.section = section, .name = text.substr(first + 1)};
    return Usage("unable to parse " + reflect::GoQuoted(text) + ": it is " +
                 std::string(kProperties));
  }
  return Property{.section = section,
                  .name = text.substr(first + 1, last - first - 1),
                  .field = text.substr(last + 1)};
}

// The entry with the field set to the text, or left out where there is none. Only fields that hold
// text, truths or bytes can be set so.
template <class T>
Result<T> WithField(const T& entry, const std::string& field, const std::string* text, bool raw) {
  const reflect::Type& type = reflect::TypeOf<T>();
  const auto known = std::ranges::find_if(
      type.fields, [&](const reflect::Field& each) { return each.name() == field; });
  using reflect::Kind;
  const bool single = known != type.fields.end() && known->shape == reflect::Shape::kScalar;
  if (!single || (text && known->kind != Kind::kString && known->kind != Kind::kBool &&
                  known->kind != Kind::kBytes)) {
    return Usage(reflect::GoQuoted(field) + " is no field that can be set so");
  }
  TRY(const std::string json, reflect::ToJson(entry));
  TRY(JsonValue value, reflect::ParseJson(json));
  if (!text) {
    (void)value.Erase(field);
  } else if (known->kind == Kind::kBool) {
    if (*text != "true" && *text != "false") return Usage(field + " is true or false");
    value.Set(field, JsonValue::Bool(*text == "true"));
  } else if (known->kind == Kind::kBytes && raw) {
    std::string encoded;
    reflect::AppendBase64(*text, &encoded);
    value.Set(field, JsonValue::String(std::move(encoded)));
  } else {
    value.Set(field, JsonValue::String(*text));
  }
  return reflect::FromJson<T>(reflect::ToText(value));
}

// Sets a property, or with a null `text` unsets it.
Result<void> Change(KubeConfig* config, const Property& property, const std::string* text,
                    bool raw) {
  const auto merged = config->merged();
  if (property.section == "current-context") return config->UseContext(text ? *text : "");
  if (property.section == "contexts") {
    if (property.field.empty()) return config->RemoveContext(property.name);
    const Context* known = client::FindContext(merged, property.name);
    TRY(Context changed, WithField(known ? *known : Context(), property.field, text, raw));
    config->SetContext(property.name, std::move(changed));
  } else if (property.section == "clusters") {
    if (property.field.empty()) return config->RemoveCluster(property.name);
    const Cluster* known = client::FindCluster(merged, property.name);
    TRY(Cluster changed, WithField(known ? *known : Cluster(), property.field, text, raw));
    config->SetCluster(property.name, std::move(changed));
  } else {
    if (property.field.empty()) return config->RemoveUser(property.name);
    const AuthInfo* known = client::FindUser(merged, property.name);
    TRY(AuthInfo changed, WithField(known ? *known : AuthInfo(), property.field, text, raw));
    config->SetUser(property.name, std::move(changed));
  }
  return {};
}

Result<std::string> SetProperty(const Invocation& invocation) {
  const auto& arguments = invocation.arguments();
  if (arguments.size() != 2) return Usage("set takes a property and a value");
  TRY(const Property property, PropertyOf(arguments[0], false));
  TRY(KubeConfig config, LoadConfig(invocation));
  TRY_VOID(Change(&config, property, &arguments[1], invocation.Has("set-raw-bytes")));
  TRY_VOID(config.Save());
  return "Property " + reflect::GoQuoted(arguments[0]) + " set.\n";
}

Result<std::string> UnsetProperty(const Invocation& invocation) {
  TRY(const std::string name, NameOf(invocation, "property"));
  TRY(const Property property, PropertyOf(name, true));
  TRY(KubeConfig config, LoadConfig(invocation));
  TRY_VOID(Change(&config, property, nullptr, false));
  TRY_VOID(config.Save());
  return "Property " + reflect::GoQuoted(name) + " unset.\n";
}

}  // namespace

Outcome RunSetContext(const Invocation& invocation) { return Done(SetContext(invocation)); }
Outcome RunSetCluster(const Invocation& invocation) { return Done(SetCluster(invocation)); }
Outcome RunSetCredentials(const Invocation& invocation) { return Done(SetCredentials(invocation)); }
Outcome RunSet(const Invocation& invocation) { return Done(SetProperty(invocation)); }
Outcome RunUnset(const Invocation& invocation) { return Done(UnsetProperty(invocation)); }

}  // namespace podium::cli

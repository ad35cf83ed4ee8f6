// kubectl config (upstream's k8s.io/kubectl/pkg/cmd/config).
#include "cli/config.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/object_printer.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_options.h"
#include "cli/table_text.h"
#include "reflect/go_text.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using client::KubeConfig;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

using Runner = Result<Outcome> (*)(const Invocation& invocation);

template <Runner runner>
Outcome Told(const Invocation& invocation) {
  auto outcome = runner(invocation);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

Result<std::string> OneName(const Invocation& invocation, const char* what) {
  if (invocation.arguments().empty()) return Usage("which " + std::string(what) + "? name one");
  return invocation.arguments()[0];
}

Result<Outcome> View(const Invocation& invocation) {
  // A file that is named stands alone: with it both are the same.
  if (invocation.Get("merge") == "false" && !invocation.Has("kubeconfig")) {
    return Usage("if merge==false a precise file must be specified");
  }
  TRY(const KubeConfig config, LoadConfig(invocation));
  const bool flatten = invocation.Has("flatten");
  auto shown = flatten ? config.Resolved() : config.merged();
  if (invocation.Has("minify")) {
    TRY(shown, client::Minified(shown, invocation.Get("context")));
  }
  if (flatten) {
    TRY(shown, client::Flattened(shown));
  }
  if (!invocation.Has("raw")) shown = client::Redacted(shown);
  Outcome outcome;
  if (invocation.Get("output", "yaml") == "yaml") {
    TRY(outcome.out, client::PrintKubeConfig(shown));
    return outcome;
  }
  TRY(const auto printer, PrinterOf(invocation));
  if (!printer) return Usage("the output format is json, yaml or jsonpath=...");
  TRY(const std::string yaml, client::PrintKubeConfig(shown));
  TRY(const auto document, reflect::YamlToJson(yaml));
  TRY(const auto value, reflect::ParseJson(document.json));
  TRY_VOID(printer->Print(value, &outcome.out));
  return outcome;
}

Result<Outcome> CurrentContext(const Invocation& invocation) {
  TRY(const KubeConfig config, LoadConfig(invocation));
  const std::string name = config.merged().currentContext;
  if (name.empty()) return Usage("current-context is not set");
  return Outcome{kOk, EscapedText(name) + '\n', {}};
}

Result<Outcome> GetContexts(const Invocation& invocation) {
  TRY(const KubeConfig config, LoadConfig(invocation));
  const auto merged = config.merged();
  const auto& wanted = invocation.arguments();
  const bool names = invocation.Get("output") == "name";
  Outcome outcome;
  TableText table;
  if (!names && !invocation.Has("no-headers")) {
    table.AddRow({"CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"});
  }
  std::map<std::string, const client::clientcmd::v1::Context*> shown;
  for (const auto& [name, context] : merged.contexts) {
    if (wanted.empty()) shown.emplace(name, &context);
  }
  std::vector<Error> missing;
  for (const std::string& name : wanted) {
    const auto* context = client::FindContext(merged, name);
    if (context) {
      shown.emplace(name, context);
    } else {
      missing.emplace_back(Code::kNotFound, "context " + name + " not found");
    }
  }
  for (const auto& [name, context] : shown) {
    if (names) {
      outcome.out += EscapedText(name) + '\n';
      continue;
    }
    table.AddRow({name == merged.currentContext ? "*" : "", EscapedText(name),
                  EscapedText(context->cluster), EscapedText(context->user),
                  EscapedText(context->namespace_)});
  }
  table.Flush(&outcome.out);
  if (!missing.empty()) return ServerFailure(missing, std::move(outcome.out));
  return outcome;
}

template <class Entries>
Outcome NamesOf(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  Outcome outcome;
  outcome.out = "NAME\n";
  for (const std::string& name : names) outcome.out += EscapedText(name) + '\n';
  return outcome;
}

Result<Outcome> GetClusters(const Invocation& invocation) {
  TRY(const KubeConfig config, LoadConfig(invocation));
  return NamesOf(config.merged().clusters);
}

Result<Outcome> GetUsers(const Invocation& invocation) {
  TRY(const KubeConfig config, LoadConfig(invocation));
  return NamesOf(config.merged().users);
}

Result<Outcome> UseContext(const Invocation& invocation) {
  TRY(const std::string name, OneName(invocation, "context"));
  TRY(KubeConfig config, LoadConfig(invocation));
  if (!client::FindContext(config.merged(), name)) {
    return Error(Code::kNotFound, "no context exists with the name: " + reflect::GoQuoted(name));
  }
  TRY_VOID(config.UseContext(name));
  TRY_VOID(config.Save());
  return Outcome{kOk, "Switched to context " + reflect::GoQuoted(name) + ".\n", {}};
}

Result<Outcome> RenameContext(const Invocation& invocation) {
  const auto& names = invocation.arguments();
  if (names.size() != 2) return Usage("rename-context takes the old name and the new one");
  TRY(KubeConfig config, LoadConfig(invocation));
  const auto merged = config.merged();
  const std::string start = "cannot rename the context " + reflect::GoQuoted(names[0]) + ", ";
  if (!client::FindContext(merged, names[0])) {
    return Error(Code::kNotFound, start + "it's not in " + FileOf(config, "context", names[0]));
  }
  if (client::FindContext(merged, names[1])) {
    return Error(Code::kAlreadyExists, start + "the context " + reflect::GoQuoted(names[1]) +
                                           " already exists in " +
                                           FileOf(config, "context", names[1]));
  }
  TRY_VOID(config.RenameContext(names[0], names[1]));
  TRY_VOID(config.Save());
  return Outcome{kOk,
                 "Context " + reflect::GoQuoted(names[0]) + " renamed to " +
                     reflect::GoQuoted(names[1]) + ".\n",
                 {}};
}

// deleted context web from /root/.kube/config
Result<Outcome> Deleted(const Invocation& invocation, const char* kind,
                        Result<void> (KubeConfig::*remove)(const std::string& name)) {
  TRY(const std::string name, OneName(invocation, kind));
  TRY(KubeConfig config, LoadConfig(invocation));
  const std::string file = FileOf(config, kind, name);
  const bool was_current =
      kind == std::string_view("context") && config.merged().currentContext == name;
  if (const auto removed = (config.*remove)(name); !removed.ok()) {
    if (removed.error().code() != Code::kNotFound) return removed.error();
    return Error(Code::kNotFound,
                 "cannot delete " + std::string(kind) + " " + name + ", not in " + file);
  }
  TRY_VOID(config.Save());
  Outcome outcome;
  if (was_current) {
    outcome.err =
        "warning: this removed your active context, use \"podium config use-context\" "
        "to select a different one\n";
  }
  outcome.out = "deleted " + std::string(kind) + " " + EscapedText(name) + " from " +
                EscapedText(file) + "\n";
  return outcome;
}

Result<Outcome> DeleteContext(const Invocation& invocation) {
  return Deleted(invocation, "context", &KubeConfig::RemoveContext);
}
Result<Outcome> DeleteCluster(const Invocation& invocation) {
  return Deleted(invocation, "cluster", &KubeConfig::RemoveCluster);
}
Result<Outcome> DeleteUser(const Invocation& invocation) {
  return Deleted(invocation, "user", &KubeConfig::RemoveUser);
}

constexpr Option kFileOption = {.name = "kubeconfig",
                                .value = "FILE",
                                .help = "this file, not those of KUBECONFIG or ~/.kube/config",
                                .values = Values::kFiles};
constexpr Option kFileAlone[] = {kFileOption};
constexpr Option kViewOptions[] = {
    kOutputOption,
    {.name = "raw", .help = "with secrets and the data of certificates"},
    {.name = "minify", .help = "what the current context needs alone"},
    {.name = "flatten", .help = "with the contents of files in place of their paths"},
    {.name = "context", .value = "NAME", .help = "with --minify, this context"},
    {.name = "merge",
     .value = "true|false",
     .help = "false: one file, which --kubeconfig names",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    kTemplateOption,
    kAllowMissingKeysOption,
    kFileOption};
constexpr Option kListOptions[] = {{.name = "output",
                                    .letter = 'o',
                                    .value = "FORM",
                                    .help = "names alone",
                                    .values = Values::kWords,
                                    .words = "name"},
                                   {.name = "no-headers", .help = "no headings"},
                                   kFileOption};
constexpr Option kEmbedOption = {.name = "embed-certs",
                                 .help = "the files' contents rather than their paths"};
constexpr Option kSetContextOptions[] = {
    {.name = "cluster", .value = "NAME", .help = "of its server"},
    {.name = "user", .value = "NAME", .help = "of its user"},
    {.name = "namespace", .letter = 'n', .value = "NAME", .help = "where commands then look"},
    {.name = "current", .help = "change the current context"},
    kFileOption};
constexpr Option kSetClusterOptions[] = {
    {.name = "server", .letter = 's', .value = "URL", .help = "where the server is"},
    {.name = "certificate-authority",
     .value = "FILE",
     .help = "roots that its certificate must come from",
     .values = Values::kFiles},
    kEmbedOption,
    {.name = "insecure-skip-tls-verify", .help = "take any certificate of the server"},
    {.name = "tls-server-name", .value = "NAME", .help = "name that its certificate must carry"},
    {.name = "proxy-url", .value = "URL", .help = "proxy for all requests to it"},
    kFileOption};
constexpr Option kSetCredentialsOptions[] = {
    {.name = "token", .value = "TOKEN", .help = "bearer token"},
    {.name = "client-certificate",
     .value = "FILE",
     .help = "certificate to sign in with",
     .values = Values::kFiles},
    {.name = "client-key",
     .value = "FILE",
     .help = "the certificate's key",
     .values = Values::kFiles},
    kEmbedOption,
    {.name = "username", .value = "NAME", .help = "for basic authentication"},
    {.name = "password", .value = "WORD", .help = "for basic authentication"},
    {.name = "exec-command", .value = "PROGRAM", .help = "program that gives the credentials"},
    {.name = "exec-arg",
     .value = "TEXT,...",
     .help = "its arguments, in place of those that it has",
     .repeatable = true},
    {.name = "exec-env",
     .value = "NAME=VALUE",
     .help = "variable of its environment; NAME- takes it away",
     .repeatable = true},
    {.name = "exec-api-version", .value = "VERSION", .help = "of ExecCredential that it speaks"},
    {.name = "exec-interactive-mode",
     .value = "MODE",
     .help = "whether it may ask at the terminal: Never, IfAvailable or Always"},
    {.name = "exec-provide-cluster-info",
     .value = "true|false",
     .help = "tell it about the server",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "auth-provider", .value = "NAME", .help = "way to sign in that is built into clients"},
    {.name = "auth-provider-arg",
     .value = "KEY=VALUE,...",
     .help = "what it is told; KEY- takes one away",
     .repeatable = true},
    kFileOption};
constexpr Option kSetOptions[] = {
    {.name = "set-raw-bytes", .help = "the value of a -data field is the data, not its base64"},
    kFileOption};

std::vector<Command> ConfigCommands() {
  const auto named = [](const char* name, const char* summary, const char* example,
                        Outcome (*run)(const Invocation&)) {
    return Command{.name = name,
                   .summary = summary,
                   .arguments = "NAME",
                   .max_arguments = 1,
                   .example = example,
                   .options = kFileAlone,
                   .run = run};
  };
  const auto plain = [&](const char* name, const char* summary, const char* example,
                         Outcome (*run)(const Invocation&)) {
    Command command = named(name, summary, example, run);
    command.arguments = "";
    command.max_arguments = 0;
    return command;
  };
  const auto with = [](Command command, std::span<const Option> options, const char* arguments,
                       size_t count) {
    command.options = options;
    command.arguments = arguments;
    command.max_arguments = count;
    return command;
  };
  return {
      with(plain("config view", "Show the merged files, without secrets",
                 "  podium config view --minify\n", Told<View>),
           kViewOptions, "", 0),
      plain("config current-context", "Show which context is used",
            "  podium config current-context\n", Told<CurrentContext>),
      with(plain("config get-contexts", "List the contexts", "  podium config get-contexts\n",
                 Told<GetContexts>),
           kListOptions, "[NAME...]", 1000),
      plain("config get-clusters", "List the servers", "  podium config get-clusters\n",
            Told<GetClusters>),
      plain("config get-users", "List the users", "  podium config get-users\n", Told<GetUsers>),
      named("config use-context", "Use this context from now on",
            "  podium config use-context blue\n", Told<UseContext>),
      with(named("config set-context", "Make or change a context",
                 "  podium config set-context --current --namespace=shop\n", RunSetContext),
           kSetContextOptions, "NAME | --current", 1),
      with(
          named("config set-cluster", "Make or change a server",
                "  podium config set-cluster blue --server=https://10.0.0.1:6443\n", RunSetCluster),
          kSetClusterOptions, "NAME", 1),
      with(named(
               "config set-credentials", "Make or change a user",
               "  podium config set-credentials jane --token=SECRET\n"
               "  podium config set-credentials jane --exec-command=get-token --exec-arg=--quiet\n",
               RunSetCredentials),
           kSetCredentialsOptions, "NAME", 1),
      named("config delete-context", "Delete a context", "  podium config delete-context blue\n",
            Told<DeleteContext>),
      named("config delete-cluster", "Delete a server", "  podium config delete-cluster blue\n",
            Told<DeleteCluster>),
      named("config delete-user", "Delete a user", "  podium config delete-user jane\n",
            Told<DeleteUser>),
      with(named("config rename-context", "Give a context another name",
                 "  podium config rename-context blue green\n", Told<RenameContext>),
           kFileAlone, "OLD NEW", 2),
      with(named("config set", "Set one field",
                 "  podium config set contexts.blue.namespace shop\n", RunSet),
           kSetOptions, "PROPERTY VALUE", 2),
      with(named("config unset", "Unset one field, or delete an entry",
                 "  podium config unset contexts.blue.namespace\n", RunUnset),
           kFileAlone, "PROPERTY", 1),
  };
}

}  // namespace

Result<KubeConfig> LoadConfig(const Invocation& invocation) {
  return KubeConfig::LoadIfThere(KubeConfigSources(invocation));
}

std::string FileOf(const KubeConfig& config, std::string_view kind, std::string_view name) {
  std::string file = config.OriginOf(kind, name);
  return file.empty() ? config.sources().DefaultPath() : file;
}

Command ConfigCommand() {
  static const std::vector<Command> kCommands = ConfigCommands();
  return {
      .name = "config",
      .summary = "Show and change kubeconfig files: servers, users, contexts",
      .details =
          "The files are those that --kubeconfig or KUBECONFIG names, or ~/.kube/config. Changes "
          "go to the file that an entry is in, under kubectl's lock.",
      .example = "  podium config get-contexts\n",
      .subcommands = kCommands,
  };
}

}  // namespace podium::cli

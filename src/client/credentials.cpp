#include "client/credentials.h"

#include <utility>

#include "api/time.h"
#include "client/config_file.h"
#include "client/plugin_process.h"
#include "http/headers.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

namespace clientauth = clientauthentication::v1;

constexpr size_t kMaxFile = size_t{1} << 20;
constexpr int64_t kReadAgain = 60 * kNanosPerSecond;

constexpr std::string_view kVersions[] = {"client.authentication.k8s.io/v1",
                                          "client.authentication.k8s.io/v1beta1"};

Result<std::string> ReadNamed(const std::string& path, std::string_view what) {
  auto text = ReadConfigFile(path, kMaxFile);
  if (!text.ok()) {
    return std::move(text).error().WithContext("unable to read " + std::string(what) + " " + path);
  }
  return text;
}

std::string Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

// What could write lines of its own into a request.
Result<std::string> Bearer(const std::string& token) {
  if (!http::IsFieldValue(token)) {
    return Error(Code::kInvalidArgument, "the token has control characters");
  }
  return "Bearer " + token;
}

}  // namespace

Result<std::shared_ptr<FileCredentials>> FileCredentials::Create(Login fixed, Paths paths,
                                                                 const Clock& clock) {
  std::shared_ptr<FileCredentials> made(
      new FileCredentials(std::move(fixed), std::move(paths), clock));
  TRY(made->login_, made->Read());
  made->read_at_ = clock.Now();
  return made;
}

Result<Login> FileCredentials::Read() const {
  Login login = fixed_;
  if (!paths_.token.empty()) {
    TRY(const std::string text, ReadNamed(paths_.token, "the token file"));
    const std::string token = Trimmed(text);
    if (token.empty()) {
      return Error(Code::kInvalidArgument, "read empty token from file " + paths_.token);
    }
    TRY(login.authorization, Bearer(token));
  }
  if (!paths_.certificate.empty()) {
    TRY(login.certificate, ReadNamed(paths_.certificate, "client-cert"));
  }
  if (!paths_.key.empty()) {
    TRY(login.key, ReadNamed(paths_.key, "client-key"));
  }
  return login;
}

Result<Login> FileCredentials::Current() {
  const std::lock_guard lock(mutex_);
  const int64_t age = clock_.Now() - read_at_;
  // A clock that was set back says nothing about age.
  if (age >= 0 && age < kReadAgain) return login_;
  read_at_ = clock_.Now();
  auto login = Read();
  if (login.ok()) login_ = *std::move(login);
  return login_;
}

bool FileCredentials::Renew(const Login& used) {
  const std::lock_guard lock(mutex_);
  auto login = Read();
  if (login.ok()) {
    login_ = *std::move(login);
    read_at_ = clock_.Now();
  }
  return !(login_ == used);
}

Result<std::shared_ptr<ExecCredentials>> ExecCredentials::Create(
    const std::string& user, const clientcmd::v1::ExecConfig& config,
    std::optional<clientauth::Cluster> cluster, const AddressEnvironment& environment) {
  const auto bad = [&](const std::string& why) { return Error(Code::kInvalidArgument, why); };
  const auto missing = [&](std::string_view what) {
    return bad(std::string(what) + " must be specified for " + user +
               " to use exec authentication plugin");
  };
  if (config.command.empty()) return missing("command");
  if (config.apiVersion.empty()) return missing("apiVersion");
  if (config.apiVersion != kVersions[0] && config.apiVersion != kVersions[1]) {
    return bad("exec plugin: invalid apiVersion " + reflect::GoQuoted(config.apiVersion));
  }
  for (const auto& variable : config.env) {
    if (variable.name.empty()) {
      return bad("env variable name must be specified for " + user +
                 " to use exec authentication plugin");
    }
  }
  clientcmd::v1::ExecConfig checked = config;
  std::string& mode = checked.interactiveMode;
  // Only version 1 wants to know.
  if (mode.empty() && config.apiVersion == kVersions[0]) return missing("interactiveMode");
  if (mode.empty()) mode = "IfAvailable";
  if (mode != "Never" && mode != "IfAvailable" && mode != "Always") {
    return bad("invalid interactiveMode for " + user + ": " + reflect::GoQuoted(mode));
  }
  return std::shared_ptr<ExecCredentials>(new ExecCredentials(
      std::move(checked), config.provideClusterInfo ? std::move(cluster) : std::nullopt,
      environment));
}

Result<Login> ExecCredentials::ReadAnswer(const std::string& text) {
  auto answer = reflect::FromJson<clientauth::ExecCredential>(text, {.strict = false});
  if (!answer.ok()) {
    return Error(Code::kInvalidArgument, "decoding stdout: " + answer.error().message());
  }
  if (answer->kind != "ExecCredential" || answer->apiVersion != config_.apiVersion) {
    return Error(Code::kInvalidArgument, "exec plugin is configured to use API version " +
                                             config_.apiVersion + ", plugin returned version " +
                                             answer->apiVersion);
  }
  if (!answer->status) {
    return Error(Code::kInvalidArgument, "exec plugin didn't return a status field");
  }
  const clientauth::ExecCredentialStatus& status = *answer->status;
  if (status.token.empty() && status.clientCertificateData.empty() &&
      status.clientKeyData.empty()) {
    return Error(Code::kInvalidArgument, "exec plugin didn't return a token or cert/key pair");
  }
  if (status.clientCertificateData.empty() != status.clientKeyData.empty()) {
    return Error(Code::kInvalidArgument, "exec plugin returned only certificate or key, not both");
  }
  expires_.reset();
  if (!status.expirationTimestamp.empty()) {
    TRY(const api::Time time, api::Time::Parse(status.expirationTimestamp));
    // A year so far away that its nanoseconds do not fit is never.
    if (time.unix_seconds() < INT64_MAX / kNanosPerSecond) {
      expires_ = time.unix_seconds() * kNanosPerSecond;
    }
  }
  Login login{.certificate = status.clientCertificateData, .key = status.clientKeyData};
  if (!status.token.empty()) {
    TRY(login.authorization, Bearer(status.token));
  }
  return login;
}

Result<Login> ExecCredentials::Ask() {
  const bool interactive = environment_.interactive && config_.interactiveMode != "Never";
  if (config_.interactiveMode == "Always" && !interactive) {
    return Error(Code::kInvalidArgument,
                 "exec plugin cannot support interactive mode: standard input is not a terminal");
  }
  clientauth::ExecCredential question;
  question.kind = "ExecCredential";
  question.apiVersion = config_.apiVersion;
  question.spec.interactive = interactive;
  if (cluster_) question.spec.cluster = *cluster_;
  PluginProcess process{.command = config_.command, .interactive = interactive};
  process.arguments.assign(config_.args.begin(), config_.args.end());
  for (const auto& variable : config_.env) {
    process.environment.emplace_back(variable.name, variable.value);
  }
  TRY(std::string info, reflect::ToJson(question));
  process.environment.emplace_back("KUBERNETES_EXEC_INFO", std::move(info));
  auto output = RunPlugin(process);
  if (!output.ok()) {
    const bool absent = output.error().code() == Code::kNotFound;
    if (!absent || config_.installHint.empty()) return std::move(output).error();
    return Error(Code::kNotFound, output.error().message() + "\n\n" + config_.installHint);
  }
  return ReadAnswer(*output);
}

Result<Login> ExecCredentials::Current() {
  const std::lock_guard lock(mutex_);
  if (login_ && (!expires_ || environment_.clock->Now() < *expires_)) return *login_;
  auto login = Ask();
  if (!login.ok()) return std::move(login).error().WithContext("getting credentials");
  login_ = *std::move(login);
  return *login_;
}

bool ExecCredentials::Renew(const Login& used) {
  const std::lock_guard lock(mutex_);
  // Another call has renewed it meanwhile.
  if (login_ && !(*login_ == used)) return true;
  auto login = Ask();
  if (!login.ok()) return false;
  login_ = *std::move(login);
  return true;
}

}  // namespace podium::client

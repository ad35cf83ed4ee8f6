// Credentials that change while the program runs. Private to client.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "client/address.h"
#include "client/kubeconfig_address.h"
#include "client/types/clientauthentication_v1.h"
#include "client/types/clientcmd_v1.h"

namespace podium::client {

// Files, read again once they are a minute old; what cannot be read then stays what it was, as
// client-go has it.
class FileCredentials : public Credentials {
 public:
  struct Paths {
    std::string token{};
    std::string certificate{};
    std::string key{};
  };
  // What is not in a file stands in `fixed`. Reads them: the error names the file.
  static Result<std::shared_ptr<FileCredentials>> Create(Login fixed, Paths paths,
                                                         const Clock& clock);

  Result<Login> Current() override;
  bool Renew(const Login& used) override;

 private:
  FileCredentials(Login fixed, Paths paths, const Clock& clock)
      : fixed_(std::move(fixed)), paths_(std::move(paths)), clock_(clock) {}
  Result<Login> Read() const;

  const Login fixed_;
  const Paths paths_;
  const Clock& clock_;
  std::mutex mutex_;
  // Under mutex_.
  Login login_;
  int64_t read_at_ = 0;
};

// A plugin of client.authentication.k8s.io, run when there is nothing yet, when what it gave is
// past its expirationTimestamp, and after a 401.
class ExecCredentials : public Credentials {
 public:
  // Whatever is wrong with the configuration is told now, by client-go's words; `user` names it.
  static Result<std::shared_ptr<ExecCredentials>> Create(
      const std::string& user, const clientcmd::v1::ExecConfig& config,
      std::optional<clientauthentication::v1::Cluster> cluster,
      const AddressEnvironment& environment);

  Result<Login> Current() override;
  bool Renew(const Login& used) override;

 private:
  ExecCredentials(clientcmd::v1::ExecConfig config,
                  std::optional<clientauthentication::v1::Cluster> cluster,
                  AddressEnvironment environment)
      : config_(std::move(config)),
        cluster_(std::move(cluster)),
        environment_(std::move(environment)) {}
  Result<Login> Ask();
  Result<Login> ReadAnswer(const std::string& text);

  const clientcmd::v1::ExecConfig config_;
  const std::optional<clientauthentication::v1::Cluster> cluster_;
  const AddressEnvironment environment_;
  std::mutex mutex_;
  // Under mutex_.
  std::optional<Login> login_;
  std::optional<int64_t> expires_;  // nanoseconds
};

}  // namespace podium::client

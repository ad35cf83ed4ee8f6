// kubectl's options of which server is asked, as whom, and in which namespace. Each may come twice,
// and the last counts, as with kubectl.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "cli/command.h"

namespace podium::cli {

inline constexpr std::array kServerOptions = {
    Option{.name = "kubeconfig",
           .value = "FILE",
           .help = "which servers there are; otherwise those of KUBECONFIG, or ~/.kube/config",
           .values = Values::kFiles,
           .repeatable = true},
    Option{.name = "context",
           .value = "NAME",
           .help = "of the kubeconfig, not its current one",
           .repeatable = true},
    Option{.name = "cluster", .value = "NAME", .help = "of the kubeconfig", .repeatable = true},
    Option{.name = "user", .value = "NAME", .help = "of the kubeconfig", .repeatable = true},
    Option{.name = "node", .help = "ask the agent of this machine, whatever the kubeconfig says"},
    Option{.name = "server",
           .letter = 's',
           .value = "URL",
           .help = "where the server is",
           .repeatable = true},
    Option{.name = "namespace",
           .letter = 'n',
           .value = "NAME",
           .help = "of the objects; if not given the context's, or \"default\"",
           .repeatable = true},
    Option{.name = "token",
           .value = "TOKEN",
           .help = "bearer token to sign in with",
           .repeatable = true},
    Option{.name = "as", .value = "USER", .help = "user to act as", .repeatable = true},
    Option{.name = "as-group", .value = "GROUP", .help = "group to act in", .repeatable = true},
    Option{.name = "as-uid", .value = "UID", .help = "uid to act with", .repeatable = true},
    Option{.name = "request-timeout",
           .value = "TIME",
           .help = "how long one request may take: 5s, 1m; 0 for as long as it likes",
           .repeatable = true},
    Option{.name = "insecure-skip-tls-verify", .help = "take any certificate of the server"},
    Option{.name = "certificate-authority",
           .value = "FILE",
           .help = "roots that the server's certificate must come from",
           .values = Values::kFiles,
           .repeatable = true},
    Option{.name = "client-certificate",
           .value = "FILE",
           .help = "certificate to sign in with",
           .values = Values::kFiles,
           .repeatable = true},
    Option{.name = "client-key",
           .value = "FILE",
           .help = "the certificate's key",
           .values = Values::kFiles,
           .repeatable = true},
    Option{.name = "tls-server-name",
           .value = "NAME",
           .help = "name that the server's certificate must carry",
           .repeatable = true},
};

// A command's own options, and those of the server behind them.
template <size_t count>
constexpr std::array<Option, count + kServerOptions.size()> WithServerOptions(
    const Option (&own)[count]) {
  std::array<Option, count + kServerOptions.size()> all{};
  for (size_t i = 0; i < count; ++i) all[i] = own[i];
  for (size_t i = 0; i < kServerOptions.size(); ++i) all[count + i] = kServerOptions[i];
  return all;
}

// Without the server's option of this name, of a command that means something else by it, as
// kubectl's do.
template <size_t count>
constexpr std::array<Option, count - 1> WithoutServerOption(const std::array<Option, count>& all,
                                                            std::string_view name) {
  size_t last = count - 1;
  while (last > 0 && name != all[last].name) --last;
  std::array<Option, count - 1> rest{};
  for (size_t i = 0; i < count - 1; ++i) rest[i] = all[i < last ? i : i + 1];
  return rest;
}

}  // namespace podium::cli

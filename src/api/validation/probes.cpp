// Probes and lifecycle hooks of containers.

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/containers.h"
#include "api/validation/service.h"

namespace podium::api {

using core::v1::Container;
using core::v1::ExecAction;
using core::v1::HTTPGetAction;
using core::v1::Lifecycle;
using core::v1::LifecycleHandler;
using core::v1::Probe;
using field::ErrorList;
using field::Path;

namespace {

// What a probe or a hook does: at most one of these is set.
struct Handler {
  const ExecAction* exec = nullptr;
  const HTTPGetAction* http_get = nullptr;
  const core::v1::TCPSocketAction* tcp_socket = nullptr;
  const core::v1::GRPCAction* grpc = nullptr;
  const core::v1::SleepAction* sleep = nullptr;
};

Handler HandlerOf(const Probe& probe) {
  return {.exec = probe.exec.get(),
          .http_get = probe.httpGet.get(),
          .tcp_socket = probe.tcpSocket.get(),
          .grpc = probe.grpc.get()};
}

Handler HandlerOf(const LifecycleHandler& hook) {
  return {.exec = hook.exec.get(),
          .http_get = hook.httpGet.get(),
          .tcp_socket = hook.tcpSocket.get(),
          .sleep = hook.sleep.get()};
}

ErrorList ValidateExec(const ExecAction& exec, const Path& path) {
  ErrorList errors;
  if (exec.command.empty()) errors.Add(field::Required(path.Child("command"), ""));
  return errors;
}

ErrorList ValidateHttpGet(const HTTPGetAction& http, const Path& path) {
  ErrorList errors;
  if (http.path.empty()) errors.Add(field::Required(path.Child("path"), ""));
  errors.Append(ValidatePortNumOrName(http.port, path.Child("port")));
  if (!IsOneOf(http.scheme, {"HTTP", "HTTPS"})) {
    errors.Add(
        field::NotSupported(path.Child("scheme"), NamedString(http.scheme), {"HTTP", "HTTPS"}));
  }
  for (const core::v1::HTTPHeader& header : http.httpHeaders) {
    errors.AddInvalid(path.Child("httpHeaders"), header.name, IsHTTPHeaderName(header.name));
  }
  return errors;
}

ErrorList ValidateSleep(const core::v1::SleepAction& sleep, std::optional<int64_t> grace,
                        const Path& path, const PodValidationOptions& options) {
  ErrorList errors;
  // A missing grace period is reported elsewhere.
  if (!grace) return errors;
  if (options.allow_pod_lifecycle_sleep_action_zero_value) {
    if (sleep.seconds < 0 || sleep.seconds > *grace) {
      errors.Add(field::Invalid(
          path, sleep.seconds,
          fmt::format("must be non-negative and less than terminationGracePeriodSeconds ({})",
                      *grace)));
    }
  } else if (sleep.seconds <= 0 || sleep.seconds > *grace) {
    errors.Add(field::Invalid(
        path, sleep.seconds,
        fmt::format("must be greater than 0 and less than terminationGracePeriodSeconds ({}). "
                    "Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.",
                    *grace)));
  }
  return errors;
}

ErrorList ValidateHandler(const Handler& handler, std::optional<int64_t> grace, const Path& path,
                          const PodValidationOptions& options) {
  ErrorList errors;
  bool seen = false;
  // The first action counts and is checked; any further one is one too many.
  auto each = [&](const auto* action, std::string_view name, auto validate) {
    if (!action) return;
    if (seen) {
      errors.Add(field::Forbidden(path.Child(name), "may not specify more than 1 handler type"));
      return;
    }
    seen = true;
    errors.Append(validate(*action, path.Child(name)));
  };
  each(handler.exec, "exec", ValidateExec);
  each(handler.http_get, "httpGet", ValidateHttpGet);
  each(handler.tcp_socket, "tcpSocket", [](const auto& tcp, const Path& at) {
    return ValidatePortNumOrName(tcp.port, at.Child("port"));
  });
  each(handler.grpc, "grpc", [](const auto& grpc, const Path& at) {
    return ValidatePortNumOrName(IntOrString::FromInt(grpc.port), at.Child("port"));
  });
  each(handler.sleep, "sleep",
       [&](const auto& sleep, const Path& at) { return ValidateSleep(sleep, grace, at, options); });
  if (!seen) errors.Add(field::Required(path, "must specify a handler type"));
  return errors;
}

enum class ProbeKind { kLiveness, kReadiness, kStartup };

ErrorList ValidateProbe(const reflect::Box<Probe>& box, ProbeKind kind, const Path& path,
                        const ContainerContext& context) {
  ErrorList errors;
  if (!box) return errors;
  const Probe& probe = *box;
  errors.Append(ValidateHandler(HandlerOf(probe), context.spec.terminationGracePeriodSeconds, path,
                                context.options));
  errors.Append(
      ValidateNonnegativeField(probe.initialDelaySeconds, path.Child("initialDelaySeconds")));
  errors.Append(ValidateNonnegativeField(probe.timeoutSeconds, path.Child("timeoutSeconds")));
  errors.Append(ValidateNonnegativeField(probe.periodSeconds, path.Child("periodSeconds")));
  errors.Append(ValidateNonnegativeField(probe.successThreshold, path.Child("successThreshold")));
  errors.Append(ValidateNonnegativeField(probe.failureThreshold, path.Child("failureThreshold")));
  Path grace_path = path.Child("terminationGracePeriodSeconds");
  const std::optional<int64_t>& grace = probe.terminationGracePeriodSeconds;
  if (grace && *grace <= 0) {
    errors.Add(field::Invalid(grace_path, *grace, "must be greater than 0"));
  }
  if (kind == ProbeKind::kReadiness) {
    if (grace) {
      errors.Add(field::Invalid(grace_path, *grace, "must not be set for readinessProbes"));
    }
  } else if (probe.successThreshold != 1) {
    errors.Add(field::Invalid(path.Child("successThreshold"), probe.successThreshold, "must be 1"));
  }
  return errors;
}

// In byte order, as upstream prints its set.
constexpr std::string_view kLinuxStopSignals[] = {
    "SIGABRT",     "SIGALRM",     "SIGBUS",      "SIGCHLD",     "SIGCLD",      "SIGCONT",
    "SIGFPE",      "SIGHUP",      "SIGILL",      "SIGINT",      "SIGIO",       "SIGIOT",
    "SIGKILL",     "SIGPIPE",     "SIGPOLL",     "SIGPROF",     "SIGPWR",      "SIGQUIT",
    "SIGRTMAX",    "SIGRTMAX-1",  "SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12", "SIGRTMAX-13",
    "SIGRTMAX-14", "SIGRTMAX-2",  "SIGRTMAX-3",  "SIGRTMAX-4",  "SIGRTMAX-5",  "SIGRTMAX-6",
    "SIGRTMAX-7",  "SIGRTMAX-8",  "SIGRTMAX-9",  "SIGRTMIN",    "SIGRTMIN+1",  "SIGRTMIN+10",
    "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMIN+2",
    "SIGRTMIN+3",  "SIGRTMIN+4",  "SIGRTMIN+5",  "SIGRTMIN+6",  "SIGRTMIN+7",  "SIGRTMIN+8",
    "SIGRTMIN+9",  "SIGSEGV",     "SIGSTKFLT",   "SIGSTOP",     "SIGSYS",      "SIGTERM",
    "SIGTRAP",     "SIGTSTP",     "SIGTTIN",     "SIGTTOU",     "SIGURG",      "SIGUSR1",
    "SIGUSR2",     "SIGVTALRM",   "SIGWINCH",    "SIGXCPU",     "SIGXFSZ"};

ErrorList ValidateStopSignal(const std::string& signal, const Path& path,
                             const core::v1::PodSpec& spec) {
  ErrorList errors;
  if (!spec.os) {
    errors.Add(field::Forbidden(path, "may not be set for containers with empty `spec.os.name`"));
  } else if (spec.os->name == "windows") {
    if (!IsOneOf(signal, {"SIGKILL", "SIGTERM"})) {
      errors.Add(field::NotSupported(path, NamedString(signal), {"SIGKILL", "SIGTERM"}));
    }
  } else if (spec.os->name == "linux") {
    if (!std::ranges::binary_search(kLinuxStopSignals, signal)) {
      errors.Add(field::NotSupported(
          path, NamedString(signal),
          std::vector<std::string>(std::begin(kLinuxStopSignals), std::end(kLinuxStopSignals))));
    }
  }
  return errors;
}

ErrorList ValidateLifecycle(const Lifecycle& lifecycle, const Path& path,
                            const ContainerContext& context) {
  ErrorList errors;
  std::optional<int64_t> grace = context.spec.terminationGracePeriodSeconds;
  if (lifecycle.postStart) {
    errors.Append(ValidateHandler(HandlerOf(*lifecycle.postStart), grace, path.Child("postStart"),
                                  context.options));
  }
  if (lifecycle.preStop) {
    errors.Append(ValidateHandler(HandlerOf(*lifecycle.preStop), grace, path.Child("preStop"),
                                  context.options));
  }
  if (lifecycle.stopSignal) {
    errors.Append(
        ValidateStopSignal(*lifecycle.stopSignal, path.Child("stopSignal"), context.spec));
  }
  return errors;
}

}  // namespace

ErrorList ValidateLifecycleAndProbes(const Container& container, const ContainerContext& context,
                                     const Path& path) {
  ErrorList errors;
  if (container.lifecycle) {
    errors.Append(ValidateLifecycle(*container.lifecycle, path.Child("lifecycle"), context));
  }
  errors.Append(ValidateProbe(container.livenessProbe, ProbeKind::kLiveness,
                              path.Child("livenessProbe"), context));
  errors.Append(ValidateProbe(container.readinessProbe, ProbeKind::kReadiness,
                              path.Child("readinessProbe"), context));
  errors.Append(ValidateProbe(container.startupProbe, ProbeKind::kStartup,
                              path.Child("startupProbe"), context));
  return errors;
}

}  // namespace podium::api

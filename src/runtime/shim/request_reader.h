// Reads a request (messages.h) as it came from a socket. Whatever is not exactly a request is
// refused as a whole, before anything is done.
//
// Compiled into the shim without a C library and into the tests with one; makes no system call.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/messages.h"

namespace podium::runtime::shim {

// A request's members, zero where an older sender had none.
union RequestBody {
  Header header;
  Hello hello;
  RunSandbox run_sandbox;
  CreateContainer create_container;
  Exec exec;
  Signal signal;
  ResizeTerminal resize_terminal;
  Attach attach;
  ReopenLog reopen_log;
  Target target;
};

struct Request {
  RequestBody body;
  std::string_view sysctls;  // of RunSandbox: pairs of NUL-ended texts; a view of the packet
};

// 0, or EPROTO, EINVAL or EOPNOTSUPP (a type that this version does not know). request->body.header
// is set as far as the packet goes, so that a refusal can name the request.
int ReadRequest(std::span<const unsigned char> packet, uint32_t descriptors, Request* request);

// The text of a field that ReadRequest has checked.
inline std::string_view FieldText(const char* field) { return field; }

// Whether the pod that `run` makes is in a network namespace that is not the host's.
inline bool HasOwnNet(const RunSandbox& run) {
  return (run.flags & kSandboxNewNet) != 0 || run.net >= 0;
}

// Whether sysctls, pairs as in Request, belong to namespaces of the pod rather than to the machine.
bool AreNamespacedSysctls(std::string_view sysctls, bool own_net, bool own_ipc);

// Takes the next NUL-ended text from the front. False if there is none.
bool TakeText(std::string_view* from, std::string_view* text);

}  // namespace podium::runtime::shim

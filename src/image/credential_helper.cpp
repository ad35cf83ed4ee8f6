#include "image/credential_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ranges>
#include <string_view>

#include "base/ascii.h"
#include "base/unique_fd.h"
#include "linux/open_files.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxAnswer = size_t{1} << 20;
// What fits into any pipe, so that it can be written before there is a reader.
constexpr size_t kMaxServer = 4096;
constexpr size_t kMaxShown = 300;
// What programs answer when they have nothing; the same words in all of them.
constexpr std::string_view kNotFound = "credentials not found in native keychain";

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Error::FromErrno(errno, "making a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool IsProgramName(std::string_view name) {
  return !name.empty() && name.size() < 100 &&
         std::ranges::all_of(
             name, [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.'; });
}

std::optional<std::string> FindProgram(std::string_view path, const std::string& name) {
  for (const auto part : std::views::split(path, ':')) {
    const std::string_view folder(part.begin(), part.end());
    // Of an empty or relative part the meaning would hang on the working directory.
    if (!folder.starts_with('/')) continue;
    std::string program = std::string(folder) + '/' + name;
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

// A running program, killed with its group and reaped when this goes.
class Child {
 public:
  explicit Child(pid_t pid)
      : pid_(pid), pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    kill(-pid_, SIGKILL);
    Reap();
  }

  int pidfd() const { return pidfd_.get(); }
  // Once pidfd() is readable: its wait status.
  int Reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
  UniqueFd pidfd_;
};

Result<pid_t> Start(const std::string& program, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  std::string name = program;
  std::string verb = "get";
  const std::array<char*, 3> arguments = {name.data(), verb.data(), nullptr};
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Error::FromErrno(error, "starting " + program);
  kernel::RestoreOpenFiles(pid);
  return pid;
}

// Until a byte or the end stands there. False past the deadline.
bool WaitReadable(int fd, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    struct pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
    const int count = poll(&entry, 1, static_cast<int>(left.count()));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

Error TooLong(const std::string& program) {
  return {Code::kDeadlineExceeded, program + " took too long"};
}

Result<std::string> ReadOutput(int fd, const std::string& program, Clock::time_point deadline) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    if (!WaitReadable(fd, deadline)) return TooLong(program);
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, "reading from " + program);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
    if (text.size() > kMaxAnswer) {
      return Error(Code::kInvalidArgument, program + " answered with more than 1 MiB");
    }
  }
}

// What a program that failed said, fit to be shown.
std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kMaxShown)) {
    shown.push_back(static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c);
  }
  while (shown.ends_with(' ')) shown.pop_back();
  return shown;
}

Result<std::optional<Credentials>> ReadAnswer(const std::string& program, const std::string& text) {
  // The answer holds a secret, so an error shows nothing of it.
  const auto answer = reflect::ParseJson(text, {.max_depth = 8});
  const reflect::JsonValue* user = answer.ok() ? answer->Find("Username") : nullptr;
  const reflect::JsonValue* secret = answer.ok() ? answer->Find("Secret") : nullptr;
  if (!secret || !secret->is_string() || (user && !user->is_string())) {
    return Error(Code::kInvalidArgument, program + ": its answer is not in the form of a helper's");
  }
  Credentials credentials;
  if (user && user->string() == "<token>") {
    credentials.identity_token = secret->string();
  } else {
    credentials.username = user ? user->string() : "";
    credentials.password = secret->string();
  }
  return std::optional(std::move(credentials));
}

Result<std::optional<Credentials>> Ask(const CredentialHelperOptions& options,
                                       const std::string& name, const std::string& server) {
  if (!IsProgramName(name) || server.size() > kMaxServer) {
    return Error(Code::kInvalidArgument, "\"" + Shown(name) + "\" names no credential helper");
  }
  const std::string program_name = "docker-credential-" + name;
  const auto program = FindProgram(options.path, program_name);
  if (!program) {
    return Error(Code::kNotFound,
                 program_name + ", which config.json names, is not in " + options.path);
  }
  const auto deadline = Clock::now() + options.timeout;
  TRY(Pipe input, MakePipe());
  TRY(Pipe output, MakePipe());
  if (write(input.write.get(), server.data(), server.size()) != std::ssize(server)) {
    return Error::FromErrno(errno, "writing to a pipe");
  }
  input.write.reset();
  TRY(const pid_t pid, Start(*program, input.read.get(), output.write.get()));
  Child child(pid);
  output.write.reset();
  TRY(const std::string text, ReadOutput(output.read.get(), program_name, deadline));
  if (!WaitReadable(child.pidfd(), deadline)) return TooLong(program_name);
  const int status = child.Reap();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ReadAnswer(program_name, text);
  if (text.contains(kNotFound)) return std::optional<Credentials>();
  return Error(Code::kUnauthenticated,
               program_name + " has no credentials for " + server + ": " + Shown(text));
}

}  // namespace

CredentialHelper MakeCredentialHelper(CredentialHelperOptions options) {
  return [options = std::move(options)](const std::string& name, const std::string& server) {
    return Ask(options, name, server);
  };
}

}  // namespace podium::image

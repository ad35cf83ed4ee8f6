#include <sys/stat.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/container_tar.h"
#include "cli/copy_paths.h"
#include "cli/copy_source.h"
#include "cli/copy_target.h"
#include "cli/option_values.h"
#include "cli/pod_streams.h"
#include "cli/pod_target.h"
#include "cli/text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::GoQuoted;

constexpr auto kPatience = std::chrono::minutes(1);
constexpr size_t kPiece = size_t{64} << 10;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

struct Remote {
  PodTarget target;
  std::string container;
};

// Messages of which container is meant go to streams.err.
Result<Remote> Find(const Invocation& invocation, const CopyPlace& place, const Streams& streams) {
  Invocation there = invocation;
  if (!place.namespace_.empty()) there.Add("namespace", place.namespace_);
  TRY(PodTarget target, FindPod(there, streams, {place.pod}, PodChoice::kLiveliest, kPatience));
  const std::string& phase = target.pod.status.phase;
  if (phase == "Succeeded" || phase == "Failed") {
    return Usage("cannot exec into a container in a completed pod; current phase is " + phase);
  }
  Remote remote{.target = std::move(target), .container{invocation.Get("container")}};
  if (remote.container.empty()) {
    TRY(remote.container, ChosenContainer(remote.target.pod, "", false, streams));
  }
  return remote;
}

Outcome Ended(int code) {
  if (code == kOk) return {};
  return {code, {}, "command terminated with exit code " + std::to_string(code) + '\n'};
}

Result<client::RemoteCommand> Start(const Remote& remote, std::vector<std::string> command,
                                    bool with_stdin) {
  api::core::v1::PodExecOptions options;
  options.container = remote.container;
  for (std::string& word : command) options.command.push_back(std::move(word));
  options.stdin_ = with_stdin;
  options.stdout_ = true;
  options.stderr_ = true;
  return remote.target.Client().Exec(remote.target.Key(), options);
}

// What cannot be asked is no folder: the copy itself will tell why.
bool IsFolder(const Remote& remote, const std::string& path) {
  auto command = Start(remote, {"test", "-d", path}, false);
  if (!command.ok()) return false;
  while (true) {
    const auto output = command->Read();
    if (!output.ok()) return false;
    if (!*output) break;
  }
  const auto code = command->exit_code();
  return code.ok() && *code == 0;
}

// The archive into the command, until either ends.
Result<void> Feed(CopySource& source, client::RemoteCommand& command) {
  std::array<char, kPiece> buffer;
  while (true) {
    TRY(const size_t size, source.Read(buffer));
    if (size == 0) break;
    // Who ended and why is the command's to say.
    if (!command.WriteStdin({buffer.data(), size}).ok()) return {};
  }
  (void)command.CloseStdin().ok();
  return {};
}

Result<int> PassOutput(client::RemoteCommand& command, const Streams& streams) {
  while (true) {
    TRY(const auto output, command.Read());
    if (!output) return command.exit_code();
    const std::string text = Printable(output->data, true);
    (void)(output->is_stderr ? streams.Err(text) : streams.Out(text));
  }
}

Result<Outcome> CopyTo(const Invocation& invocation, const std::string& from, const CopyPlace& to,
                       const Streams& streams) {
  struct stat status{};
  if (stat(from.c_str(), &status) != 0) return Usage(from + " doesn't exist in local filesystem");
  TRY(const Remote remote, Find(invocation, to, streams));
  const std::string source = CleanPath(from);
  std::string path = to.file;
  if (IsFolder(remote, path)) path = JoinPaths(path, BaseOf(source));
  std::vector<std::string> command = {"tar"};
  if (invocation.Has("no-preserve")) {
    command.insert(command.end(), {"--no-same-permissions", "--no-same-owner"});
  }
  command.insert(command.end(), {"-xmf", "-", "-C", FolderOf(path)});
  TRY(auto tar, Start(remote, std::move(command), true));
  CopySource archive(source, BaseOf(CleanPath(path)), [&](const std::string& skipped) {
    (void)streams.Err("warning: skipping " + GoQuoted(skipped) +
                      ": a device, a pipe or a socket\n");
  });
  Result<void> fed;
  std::thread feeder([&] {
    fed = Feed(archive, tar);
    if (!fed.ok()) tar.Stop();
  });
  const auto code = PassOutput(tar, streams);
  tar.Stop();
  feeder.join();
  TRY_VOID(fed);
  if (!code.ok()) return code.error();
  return Ended(*code);
}

Result<Outcome> CopyFrom(const Invocation& invocation, const CopyPlace& from, const std::string& to,
                         const Streams& streams) {
  TRY(const int64_t retries, IntegerOption(invocation, "retries", 0));
  // There kubectl has all that is told of this end's tar.
  const Streams told{.in = streams.in, .out = streams.out, .err = streams.out};
  TRY(const Remote remote, Find(invocation, from, told));
  const api::core::v1::Pod& pod = remote.target.pod;
  const std::string hint = " (consider using \"podium exec -n " +
                           GoQuoted(pod.metadata.namespace_) + ' ' + GoQuoted(pod.metadata.name) +
                           " -- tar cf - " + GoQuoted(from.file) + " | tar xf -\")";
  ContainerTar tar(remote.target, remote.container, from.file, retries, streams);
  CopyTarget target(ArchivePrefix(from.file), to, hint,
                    [&](const std::string& line) { (void)streams.Err(line + '\n'); });
  const auto taken = target.Take(tar);
  // An archive that is none comes of a tar that failed, which has said so.
  if (!taken.ok() && tar.exit_code().value_or(kOk) == kOk) return taken.error();
  TRY(const int code, tar.Finish());
  return Ended(code);
}

Result<Outcome> Copy(const Invocation& invocation, const Streams& streams) {
  const auto& arguments = invocation.arguments();
  if (arguments.size() != 2) return Usage("source and destination are required");
  TRY(const CopyPlace from, ParseCopyPlace(arguments[0]));
  TRY(const CopyPlace to, ParseCopyPlace(arguments[1]));
  if (!from.pod.empty() && !to.pod.empty()) {
    return Usage("one of src or dest must be a local file specification");
  }
  if (from.file.empty() || to.file.empty()) return Usage("filepath can not be empty");
  if (!from.pod.empty()) return CopyFrom(invocation, from, to.file, streams);
  if (!to.pod.empty()) return CopyTo(invocation, from.file, to, streams);
  return Usage("one of src or dest must be a remote file specification");
}

Outcome RunCp(const Invocation& invocation, const Streams& streams) {
  auto outcome = Copy(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : PodFailure("cp", outcome.error());
}

constexpr Option kOwnOptions[] = {
    kContainerNameOption,
    {.name = "no-preserve",
     .help = "files in the container get its user's rights, not theirs here"},
    {.name = "retries",
     .value = "N",
     .help =
         "how often a copy from a container that breaks off is gone on with; below 0 without an "
         "end; 0 if not given"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command CpCommand() {
  return {
      .name = "cp",
      .summary = "Copy files and folders to and from containers",
      .arguments = "[[NAMESPACE/]POD:]FILE [[NAMESPACE/]POD:]FILE",
      .max_arguments = 2,
      .values = Values::kFiles,
      .details =
          "The container must have tar, and for --retries a shell and tail. Of its files nothing "
          "gets out of the destination; links are told and left out.",
      .example =
          "  podium cp page.html web:/usr/share/nginx/html/\n"
          "  podium cp shop/web:/var/log/nginx logs -c nginx\n",
      .options = kOptions,
      .live = RunCp,
  };
}

}  // namespace podium::cli

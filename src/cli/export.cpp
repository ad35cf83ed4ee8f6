#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "cli/agent_client.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/node_facts.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

constexpr size_t kBuffer = size_t{128} << 10;

// How many bytes there were.
Result<uint64_t> Copy(client::ByteStream& archive, int file) {
  std::vector<char> buffer(kBuffer);
  uint64_t total = 0;
  while (true) {
    TRY(const size_t size, archive.Read(buffer));
    if (size == 0) return total;
    if (!Streams{.out = file}.Out({buffer.data(), size})) {
      return Error::FromErrno(errno, "writing the archive");
    }
    total += size;
  }
}

Result<client::ByteStream> Archive(const client::Client& client, const std::string& image) {
  return client.RawStream("GET", "/node/v1/images/export", QueryText({{"image", image}}), nullptr,
                          "");
}

// Under another name first: a file of this name is a whole archive. A pipe or a device is written
// as it is.
Result<uint64_t> ExportTo(const client::Client& client, const std::string& image,
                          const std::string& name) {
  struct stat status{};
  const bool special = stat(name.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  const std::string part = special ? name : name + ".part";
  TRY(client::ByteStream archive, Archive(client, image));
  const int flags = special ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC;
  const UniqueFd file(open(part.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0666));
  if (file.get() < 0) return Error::FromErrno(errno, Printable(part));
  auto copied = Copy(archive, file.get());
  if (special) return copied;
  if (copied.ok() && (fsync(file.get()) != 0 || rename(part.c_str(), name.c_str()) != 0)) {
    copied = Error::FromErrno(errno, Printable(name));
  }
  if (!copied.ok()) (void)unlink(part.c_str());
  return copied;
}

Outcome RunExport(const Invocation& invocation, const Streams& streams) {
  if (invocation.arguments().size() < 2) {
    return UsageError("export", "which image, and into which file?");
  }
  const std::string& image = invocation.arguments()[0];
  const std::string& name = invocation.arguments()[1];
  if (name == "-" && kernel::IsTerminal(streams.out)) {
    return UsageError("export", "an archive does not go to a terminal");
  }
  auto client = EnsuredAgentClient(invocation);
  if (!client.ok()) return Failed("export", client.error());
  if (name == "-") {
    auto archive = Archive(*client, image);
    if (!archive.ok()) return Failed("export", archive.error());
    const auto copied = Copy(*archive, streams.out);
    return copied.ok() ? Outcome() : Failed("export", copied.error());
  }
  const auto size = ExportTo(*client, image, name);
  if (!size.ok()) return Failed("export", size.error());
  if (invocation.Get("output") != "json") return {};
  reflect::JsonValue out = reflect::JsonValue::Of(reflect::JsonValue::Object{});
  out.Set("image", reflect::JsonValue::String(image));
  out.Set("file", reflect::JsonValue::String(name));
  out.Set("size", JsonNumber(*size));
  return {kOk, PrettyJson(out), {}};
}

constexpr Option kOptions[] = {kJsonOption};

}  // namespace

Command ExportCommand() {
  return {
      .name = "export",
      .summary = "Write an image into a file",
      .arguments = "IMAGE FILE",
      .max_arguments = 2,
      .values = Values::kFiles,
      .details =
          "An OCI layout as a tar archive, with what `docker load` needs beside it; skopeo, podman "
          "and containerd read it, too. - is the standard output.",
      .example =
          "  podium export app:1 app.tar\n"
          "  podium export app:1 - | docker load\n",
      .options = kOptions,
      .live = RunExport,
  };
}

}  // namespace podium::cli

// `podium backup` and `podium restore`: copies of what a server keeps (store/backup.h,
// docs/store.md).
#include "store/backup.h"

#include <filesystem>
#include <string>
#include <utility>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "client/client.h"
#include "commands/commands.h"
#include "http/url.h"
#include "linux/path.h"

namespace podium::commands {
namespace {

constexpr const char* kSaveOption = "save-what-is-left";

constexpr cli::Option kRestoreOptions[] = {
    {.name = kSaveOption, .help = "of a damaged file: take every row that can be read"},
};

// The server works elsewhere.
Result<std::string> AbsolutePath(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return Error::FromErrno(error.value(), path);
  return absolute.string();
}

Result<std::string> Backup(const std::string& file) {
  TRY(const Instance instance, cli::ThisInstance());
  TRY(const std::string path, AbsolutePath(file));
  client::ServerAddress address;
  address.unix_socket = instance.ServerSocket();
  TRY(const client::Client client, client::Client::Create(std::move(address)));
  auto told = client.Raw("POST", "/podium/v1/backup", "path=" + http::PercentEncode(path));
  if (told.ok() || told.error().detail() != nullptr) return told;
  return Error(told.error().code(), "no server of this instance answers at " + instance.run_dir +
                                        "/server.sock; start one with \"podium server\", or copy "
                                        "store.db and store.db-wal together while none runs");
}

Result<std::string> Restore(const std::string& file, bool save_what_is_left) {
  TRY(const Instance instance, cli::ThisInstance());
  TRY(const UniqueFd data, kernel::MakeFolders(instance.data_dir + "/server", 0700));
  TRY(const store::Copied copied, store::Restore({.from = file,
                                                  .to = instance.data_dir + "/server/store.db",
                                                  .save_what_is_left = save_what_is_left}));
  std::string told = std::to_string(copied.keys) + " objects restored from " + file;
  if (copied.lost > 0) told += "; " + std::to_string(copied.lost) + " rows were lost";
  return told + '\n';
}

cli::Outcome RunBackup(const cli::Invocation& invocation) {
  if (invocation.arguments().size() != 1) return cli::UsageError("backup", "name one file");
  auto told = Backup(invocation.arguments()[0]);
  if (!told.ok()) return cli::Failed("backup", told.error());
  return {.status = cli::kOk, .out = *std::move(told), .err = ""};
}

cli::Outcome RunRestore(const cli::Invocation& invocation) {
  if (invocation.arguments().size() != 1) return cli::UsageError("restore", "name one file");
  auto told = Restore(invocation.arguments()[0], invocation.Has(kSaveOption));
  if (!told.ok()) return cli::Failed("restore", told.error());
  return {.status = cli::kOk, .out = *std::move(told), .err = ""};
}

}  // namespace

cli::Command BackupCommand() {
  return {
      .name = "backup",
      .summary = "Copy what the server on this machine keeps into a file, while it runs",
      .arguments = "FILE",
      .max_arguments = 1,
      .values = cli::Values::kFiles,
      .details =
          "The copy is of one state, and is whole when it is there. It holds Secrets, and can "
          "be read by its owner only. Keys of the cluster (DATA/server/pki) are not in it.",
      .example = "  podium backup /var/backups/podium.db\n",
      .run = RunBackup,
  };
}

cli::Command RestoreCommand() {
  return {
      .name = "restore",
      .summary = "Make a server's state of a copy",
      .arguments = "FILE",
      .max_arguments = 1,
      .values = cli::Values::kFiles,
      .details =
          "No server runs meanwhile, and nothing is overwritten: what is in the way "
          "(DATA/server/store.db and store.db-wal) is put aside first, by hand. Every client "
          "lists anew when the server is there again.",
      .example =
          "  podium restore /var/backups/podium.db\n"
          "  podium restore --save-what-is-left damaged/store.db\n",
      .options = kRestoreOptions,
      .run = RunRestore,
  };
}

}  // namespace podium::commands

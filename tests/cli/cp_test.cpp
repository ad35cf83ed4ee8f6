// cp against an agent that the test plays: which commands run in the container, and what becomes of
// their answers. What it does with archives: copy_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/agent_case.h"
#include "cli/tar_feed.h"
#include "http/channels.h"
#include "http/url.h"
#include "http/websocket.h"
#include "image/tar_reader.h"

namespace podium::cli {
namespace {

namespace fs = std::filesystem;
using http::RemoteChannel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPod =
    R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"NS"},)"
    R"("spec":{"containers":[{"name":"app","image":"i"},{"name":"side","image":"i"}]},)"
    R"("status":{"phase":"PHASE"}})";

std::string Exited(int code) {
  if (code == 0) return R"({"status":"Success"})";
  return R"({"status":"Failure","reason":"NonZeroExitCode","message":"x","details":{"causes":)"
         R"([{"reason":"ExitCode","message":")" +
         std::to_string(code) + "\"}]}}";
}

std::string PodIn(const std::string& where, const std::string& phase) {
  std::string pod(kPod);
  pod.replace(pod.find("NS"), 2, where);
  return pod.replace(pod.find("PHASE"), 5, phase);
}

class CpTest : public AgentCase {
 protected:
  struct Session {
    std::vector<std::string> command;
    std::string container;
    std::string input;
    size_t number = 0;
  };
  // What the container does: 0 or above as the exit code, below 0 the session breaks off.
  using Container = std::function<int(Session& session, http::Channels& channels)>;

  void ServePod(Container container, const std::string& phase = "Running") {
    Serve([this, container, phase](const std::string& request, const ExchangePtr& exchange) {
      const size_t question = request.find('?');
      const std::string path = request.substr(0, question);
      const std::string where = path.find("/shop/") == path.npos ? "default" : "shop";
      if (path.ends_with("/pods/web")) return Json(exchange, PodIn(where, phase));
      if (!path.ends_with("/pods/web/exec")) return Json(exchange, "{}", 404);
      Session session;
      const auto query = http::ParseQuery(request.substr(question + 1));
      ASSERT_TRUE(query.ok());
      for (const auto& [name, value] : *query) {
        if (name == "command") session.command.push_back(value);
        if (name == "container") session.container = value;
      }
      session.number = sessions_.size();
      auto socket = http::AcceptWebSocket(*exchange, http::ChannelProtocols());
      ASSERT_TRUE(socket.ok());
      http::Channels channels(*std::move(socket));
      const bool with_input = request.find("stdin=true") != request.npos;
      while (with_input) {
        auto message = channels.Read();
        if (!message.ok() || !*message || (*message)->closed) break;
        if ((*message)->channel == 0) session.input += (*message)->data;
      }
      const int code = container(session, channels);
      sessions_.push_back(std::move(session));
      if (code < 0) return;
      (void)channels.Send(RemoteChannel::kError, Exited(code));
      (void)channels.socket().Close(1000);
    });
  }
  std::vector<std::string> Commands() const {
    std::vector<std::string> commands;
    for (const Session& session : sessions_) {
      std::string text = session.container + ":";
      for (const std::string& word : session.command) text += " " + word;
      commands.push_back(text);
    }
    return commands;
  }
  std::string Here(const std::string& name) const { return folder_ + "/" + name; }
  Outcome Cp(const std::string& from, const std::string& to,
             std::vector<const char*> options = {}) {
    options.insert(options.begin(), {"cp", from.c_str(), to.c_str()});
    return Run(options);
  }

  std::vector<Session> sessions_;
};

// With a file's content.
using Member = std::pair<TarMember, std::string>;

std::string ArchiveOf(const std::vector<Member>& members) {
  TarFeed feed;
  std::string text;
  char buffer[4096];
  const auto take = [&] {
    while (!feed.idle()) {
      const size_t size = *feed.Read(buffer);
      text.append(buffer, size);
    }
  };
  for (const auto& [member, content] : members) {
    feed.Put(member);
    take();
    text += content;
    text.append((512 - content.size() % 512) % 512, '\0');
  }
  feed.End();
  take();
  return text;
}

Member FileOf(const std::string& name, const std::string& content) {
  return {{.name = name, .size = content.size()}, content};
}

Member LinkOf(const std::string& name, const std::string& to) {
  return {{.type = TarMember::Type::kSymlink, .name = name, .link = to}, ""};
}

TEST_F(CpTest, ToAContainer) {
  std::ofstream(Here("page")) << "hello";
  ServePod([](Session& session, http::Channels&) { return session.command[0] == "test" ? 1 : 0; });
  Outcome outcome = Cp(Here("page"), "shop/web:/srv/index");
  EXPECT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "Defaulted container \"app\" out of: app, side\n");
  EXPECT_THAT(Commands(), ElementsAre("app: test -d /srv/index", "app: tar -xmf - -C /srv"));
  EXPECT_THAT(Requests(), ::testing::Contains(HasSubstr("/namespaces/shop/pods/web/exec?")));
  image::MemorySource source(sessions_[1].input);
  image::TarReader reader(source);
  image::TarEntry entry;
  image::TarPiece piece;
  ASSERT_TRUE(*reader.Next(&entry));
  EXPECT_EQ(entry.path, "index");
  ASSERT_TRUE(*reader.NextPiece(&piece));
  EXPECT_EQ(piece.bytes, "hello");
  EXPECT_FALSE(*reader.Next(&entry));

  sessions_.clear();
  outcome = Cp(Here("page"), "web:here", {"-c", "side", "--no-preserve"});
  EXPECT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(Commands(),
              ElementsAre("side: test -d here",
                          "side: tar --no-same-permissions --no-same-owner -xmf - -C ."));
}

TEST_F(CpTest, IntoAFolderOfAContainer) {
  fs::create_directories(Here("tree/sub"));
  std::ofstream(Here("tree/sub/file")) << "x";
  ServePod([](Session&, http::Channels&) { return 0; });
  const Outcome outcome = Cp(Here("tree/"), "web:/srv/", {"-c", "app"});
  EXPECT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_THAT(Commands(), ElementsAre("app: test -d /srv", "app: tar -xmf - -C /srv"));
  EXPECT_TRUE(sessions_[1].input.starts_with("tree/sub/file")) << sessions_[1].input.substr(0, 20);
}

TEST_F(CpTest, TheContainersTarFails) {
  std::ofstream(Here("page")) << "hello";
  ServePod([](Session& session, http::Channels& channels) {
    if (session.command[0] == "test") return 1;
    (void)channels.Send(RemoteChannel::kStderr, "tar: no \x1b[2J way\n");
    return 2;
  });
  Outcome outcome = Cp(Here("page"), "web:/srv/x", {"-c", "app"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "tar: no \\x1b[2J way\ncommand terminated with exit code 2\n");
  outcome = Cp("web:/srv/x", Here("back"), {"-c", "app"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "tar: no \\x1b[2J way\n");
  EXPECT_EQ(outcome.err, "command terminated with exit code 2\n");
  EXPECT_FALSE(fs::exists(Here("back")));
}

TEST_F(CpTest, FromAContainer) {
  const std::string archive = ArchiveOf({FileOf("tmp/x/a", "one"), FileOf("tmp/x/b/c", "two")});
  ServePod([&](Session&, http::Channels& channels) {
    (void)channels.Send(RemoteChannel::kStderr, "tar: removing leading '/'\n");
    (void)channels.Send(RemoteChannel::kStdout, archive);
    return 0;
  });
  const Outcome outcome = Cp("web:/tmp/x", Here("back"));
  EXPECT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "Defaulted container \"app\" out of: app, side\ntar: removing leading '/'\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(Commands(), ElementsAre("app: tar cf - /tmp/x"));
  EXPECT_EQ(Contents(Here("back/a")), "one");
  EXPECT_EQ(Contents(Here("back/b/c")), "two");
}

// The archive is whole, and its maker says all the same that it is not.
TEST_F(CpTest, TarFailsBehindItsArchive) {
  const std::string archive = ArchiveOf({FileOf("x", "one")}) + std::string(8192, '\0');
  ServePod([&](Session&, http::Channels& channels) {
    (void)channels.Send(RemoteChannel::kStdout, archive);
    return 1;
  });
  const Outcome outcome = Cp("web:-/../x", Here("back"), {"-c", "app"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "command terminated with exit code 1\n");
  EXPECT_EQ(Contents(Here("back")), "one");
  EXPECT_THAT(Commands(), ElementsAre("app: tar cf - ./-/../x"));
}

TEST_F(CpTest, AHostileTarFromAContainer) {
  fs::create_directories(Here("work"));
  std::ofstream(Here("secret")) << "mine";
  const std::string archive = ArchiveOf(
      {LinkOf("src/up", ".."), FileOf("src/up/secret", "theirs"), LinkOf("src/l", Here("secret")),
       FileOf("src/l", "theirs"), FileOf("src/../../secret", "theirs"), FileOf("src/a", "a")});
  ServePod([&](Session&, http::Channels& channels) {
    (void)channels.Send(RemoteChannel::kStdout, archive);
    // And it does not end.
    const std::string more(1 << 16, 'x');
    for (int i = 0; i < 1000; ++i) {
      if (!channels.Send(RemoteChannel::kStdout, more).ok()) return -1;
    }
    return 0;
  });
  const Outcome outcome = Cp("shop/web:/src", Here("work/back"), {"-c", "app"});
  EXPECT_EQ(outcome.status, kFailed);
  EXPECT_EQ(Contents(Here("secret")), "mine");
  EXPECT_EQ(Contents(Here("work/back/a")), "a");
  EXPECT_EQ(Contents(Here("work/back/up/secret")), "theirs");
  EXPECT_FALSE(fs::exists(Here("work/secret")));
  EXPECT_FALSE(fs::is_symlink(Here("work/back/l")));
  EXPECT_EQ(outcome.err, "warning: skipping symlink: \"" + Here("work/back/up") +
                             "\" -> \"..\" (consider using \"podium exec -n \"shop\" \"web\" -- "
                             "tar cf - \"/src\" | tar xf -\")\n"
                             "warning: skipping symlink: \"" +
                             Here("work/back/l") + "\" -> \"" + Here("secret") +
                             "\"\nwarning: file \"" + Here("secret") +
                             "\" is outside target destination, skipping\n"
                             "error: tar contents corrupted\n");
}

TEST_F(CpTest, WhatBreaksOffIsGoneOnWith) {
  const std::string archive = ArchiveOf({FileOf("x", std::string(5000, 'y'))});
  const auto serve = [&](Session& session, http::Channels& channels) {
    const size_t from = std::stoul(session.command.back()) - 1;
    const std::string part = archive.substr(from, 2000);
    (void)channels.Send(RemoteChannel::kStdout, part);
    return from + part.size() == archive.size() ? 0 : -1;
  };
  ServePod(serve);
  Outcome outcome = Cp("web:x", Here("back"), {"-c", "app", "--retries=5"});
  EXPECT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "Resuming copy at 2000 bytes, retry 1/5\nResuming copy at 4000 bytes, retry 2/5\n"
            "Resuming copy at 6000 bytes, retry 3/5\n");
  EXPECT_EQ(Contents(Here("back")), std::string(5000, 'y'));
  EXPECT_EQ(sessions_.size(), 4U);
  EXPECT_THAT(sessions_[3].command,
              ElementsAre("sh", "-c", HasSubstr("tail -c+\"$2\""), "sh", "x", "6001"));
  sessions_.clear();
  outcome = Cp("web:x", Here("again"), {"-c", "app", "--retries", "1"});
  EXPECT_EQ(outcome.status, kFailed);
  EXPECT_THAT(outcome.out, HasSubstr("Dropping out copy after 1 retries\n"));
  EXPECT_THAT(outcome.err, ::testing::Not(::testing::IsEmpty()));
}

TEST_F(CpTest, WhatIsAsked) {
  const struct {
    std::vector<const char*> arguments;
    std::string error;
  } cases[] = {
      {{"cp"}, "source and destination are required"},
      {{"cp", "a"}, "source and destination are required"},
      {{"cp", "a", "b"}, "one of src or dest must be a remote file specification"},
      {{"cp", "p:a", "q:b"}, "one of src or dest must be a local file specification"},
      {{"cp", "p:", "b"}, "filepath can not be empty"},
      {{"cp", "", "p:b"}, "filepath can not be empty"},
      {{"cp", ":a", "b"}, "filespec must match the canonical format: [[namespace/]pod:]file/path"},
      {{"cp", "/no/such", "p:b"}, "/no/such doesn't exist in local filesystem"},
  };
  for (const auto& [arguments, error] : cases) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.status, kFailed);
    EXPECT_EQ(outcome.err, "error: " + error + "\n");
  }
}

TEST_F(CpTest, AnEndedPod) {
  ServePod([](Session&, http::Channels&) { return 0; }, "Succeeded");
  const Outcome outcome = Cp("web:x", Here("back"));
  EXPECT_EQ(outcome.err,
            "error: cannot exec into a container in a completed pod; current phase is Succeeded\n");
}

}  // namespace
}  // namespace podium::cli

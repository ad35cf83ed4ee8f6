#include "node/image_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <utility>

#include "http/client.h"
#include "http/connect.h"
#include "http/listener.h"
#include "image/tar_builder.h"
#include "image/temporary_folder.h"

namespace podium::node {
namespace {

using ::testing::HasSubstr;
using ExchangePtr = std::shared_ptr<http::Exchange>;

std::string RootFileSystem(size_t size) {
  return image::TarBuilder()
      .Folder("etc")
      .File("etc/name", "podium")
      .File("data", std::string(size, 'x'))
      .Finish();
}

// The facts behind a server as the agent has one: an error is answered as text.
class ImageFactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = image::ImageStore::Open((folder_.path() / "images").string());
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_ = *std::move(store);
    auto listener = http::Listener::Unix(Socket());
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    http::ServerOptions options;
    options.treatment = [](const http::RequestHead& head) {
      http::Treatment out;
      const std::string_view target = head.target;
      EXPECT_TRUE(ImageFactsTreatment(target.substr(0, target.find('?')), &out)) << target;
      return out;
    };
    server_ = *http::Server::Start(*std::move(listener), options,
                                   [this](const ExchangePtr& exchange) { Handle(exchange); });
  }

  void Handle(const ExchangePtr& exchange) {
    const http::ServerRequest& request = exchange->request();
    const auto query = http::ParseQuery(request.query);
    Result<void> answered;
    if (request.path.ends_with("import")) {
      auto imported = ImportImages(*store_, *exchange, *query);
      if (imported.ok()) {
        (void)exchange->Respond(200, {}, imported->front().id.String());
      } else {
        answered = imported.error();
      }
      const std::lock_guard lock(mutex_);
      import_error_ = imported.ok() ? "" : imported.error().message();
      ++imports_;
      changed_.notify_all();
    } else if (request.path.ends_with("export")) {
      answered = ExportImages(*store_, exchange, *query);
    } else if (request.path.ends_with("verify")) {
      answered = VerifyImages(*store_, exchange);
    } else {
      answered = PullImage(exchange, pull_, request.query.contains("progress=true"));
    }
    if (!answered.ok()) (void)exchange->Respond(500, {}, answered.error().message());
  }

  std::string Socket() const { return (folder_.path() / "s").string(); }
  // Status and body; -1 when the answer broke off.
  std::pair<int, std::string> Send(http::Request request, const std::string& target) {
    request.url = "http://localhost/node/v1/images/" + target;
    request.unix_socket = Socket();
    auto response = client_.Send(request);
    if (!response.ok()) return {-1, response.error().message()};
    auto body = response->ReadAll(size_t{64} << 20);
    if (!body.ok()) return {-1, body.error().message()};
    return {response->status(), *std::move(body)};
  }
  std::pair<int, std::string> Import(const std::string& archive, const std::string& query) {
    return Send({.method = "POST", .body = archive}, "import?" + query);
  }
  bool WaitForImport() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return imports_ > 0; });
  }

  image::TemporaryFolder folder_;
  std::unique_ptr<image::ImageStore> store_;
  PullWithProgress pull_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int imports_ = 0;
  std::string import_error_;
  http::Client client_ = *http::Client::Create();
  std::unique_ptr<http::Server> server_;
};

TEST_F(ImageFactsTest, ImportsAsTheBodyComes) {
  // More than any buffer on the way.
  const auto [status, id] =
      Import(RootFileSystem(5'000'000),
             "name=base:1&comment=made&config=%7B%22Cmd%22%3A%5B%22sh%22%5D%7D");
  ASSERT_EQ(status, 200) << id;
  const auto image = store_->Resolve("base:1");
  ASSERT_TRUE(image.ok()) << image.error().message();
  EXPECT_EQ(image->id.String(), id);
  EXPECT_EQ(image->document.config.Cmd.size(), 1U);
  ASSERT_EQ(image->layers.size(), 1U);
  EXPECT_EQ(std::filesystem::file_size(image->layers[0] + "/data"), 5'000'000U);
}

TEST_F(ImageFactsTest, WhatIsNoArchiveIsRefused) {
  const auto [status, message] = Import(std::string(3'000'000, 'x'), "");
  EXPECT_NE(status, 200);
  EXPECT_NE(status, -1) << message;
  EXPECT_TRUE(store_->List().empty());
  EXPECT_THAT(Import("", "kind=other").second, HasSubstr("no such parameter"));
  EXPECT_EQ(Import("", "platform=a/b/c/d").first, 500);
  EXPECT_EQ(Import("", "config=%7B%22Unknown%22%3A1%7D").first, 500);
}

TEST_F(ImageFactsTest, ABodyThatBreaksOffAddsNothing) {
  // All the entries are there, and only the blocks of zeros are missing: an end here could pass for
  // the archive's.
  const std::string whole = RootFileSystem(2'000'000);
  const std::string archive = whole.substr(0, whole.size() - 1024);
  size_t at = 0;
  http::Request request{.method = "POST"};
  request.body_source = [&](std::span<char> buffer) -> Result<size_t> {
    if (at == archive.size()) return Error(Code::kUnavailable, "the disk is gone");
    const size_t size = archive.copy(buffer.data(), buffer.size(), at);
    at += size;
    return size;
  };
  EXPECT_EQ(Send(request, "import?name=base:1").first, -1);
  ASSERT_TRUE(WaitForImport());
  EXPECT_NE(import_error_, "");
  EXPECT_TRUE(store_->List().empty());
}

TEST_F(ImageFactsTest, ExportsWhatImportsAgain) {
  ASSERT_EQ(Import(RootFileSystem(1'000'000), "name=base:1").first, 200);
  const auto id = store_->Resolve("base:1")->id;
  const auto [status, archive] = Send({}, "export?image=base:1");
  ASSERT_EQ(status, 200) << archive;
  ASSERT_TRUE(store_->Remove("base:1").ok());
  ASSERT_TRUE(store_->List().empty());
  ASSERT_EQ(Import(archive, "").second, id.String());
  EXPECT_TRUE(store_->Resolve("base:1").ok());
  // An error is one, and no empty archive.
  EXPECT_EQ(Send({}, "export?image=none").first, 500);
  EXPECT_EQ(Send({}, "export").first, 500);
}

TEST_F(ImageFactsTest, AClientThatLeavesEndsTheExport) {
  ASSERT_EQ(Import(RootFileSystem(8'000'000), "name=base:1").first, 200);
  {
    http::Request request{.url = "http://localhost/node/v1/images/export?image=base:1"};
    request.unix_socket = Socket();
    auto response = client_.Send(request);
    ASSERT_TRUE(response.ok());
    char byte = 0;
    ASSERT_TRUE(response->Read({&byte, 1}).ok());
  }
  // Returns once the handlers have; a signal would have ended the test.
  server_->Stop(std::chrono::seconds(20));
  EXPECT_EQ(server_->counts().long_running, 0U);
}

TEST_F(ImageFactsTest, PullsTellTheirSteps) {
  pull_ = [](const image::PullObserver& observer, const http::Cancellation*) -> Result<NodeImage> {
    image::PullProgress step;
    step.layers = 2;
    step.layer = 1;
    step.digest = *image::Digest::Parse("sha256:" + std::string(64, 'a'));
    step.state = image::PullProgress::State::kDownloading;
    step.done = 5;
    step.total = 10;
    observer(step);
    return NodeImage{.id = "sha256:1", .user = "", .size = 10};
  };
  const auto [status, lines] = Send({.method = "POST"}, "pull?image=a&progress=true");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(lines, "{\"layer\":1,\"layers\":2,\"digest\":\"sha256:" + std::string(64, 'a') +
                       "\",\"state\":\"downloading\",\"done\":5,\"total\":10}\n"
                       "{\"id\":\"sha256:1\",\"size\":10}\n");
}

TEST_F(ImageFactsTest, PullsThatFailSaySo) {
  bool tell = false;
  pull_ = [&](const image::PullObserver& observer, const http::Cancellation*) -> Result<NodeImage> {
    if (tell)
      observer({.layers = 1, .digest = *image::Digest::Parse("sha256:" + std::string(64, 'a'))});
    return Error(Code::kUnavailable, "the \"registry\" is gone");
  };
  // Before anything was told, the answer is an error as any.
  EXPECT_EQ(Send({.method = "POST"}, "pull?progress=true").first, 500);
  tell = true;
  const auto [status, lines] = Send({.method = "POST"}, "pull?progress=true");
  EXPECT_EQ(status, 200);
  EXPECT_THAT(lines, ::testing::EndsWith("{\"error\":\"the \\\"registry\\\" is gone\"}\n"));
}

TEST_F(ImageFactsTest, AClientThatLeavesEndsThePull) {
  std::mutex mutex;
  std::condition_variable ended;
  bool cancelled = false;
  pull_ = [&](const image::PullObserver& observer,
              const http::Cancellation* cancellation) -> Result<NodeImage> {
    observer({.layers = 1, .digest = *image::Digest::Parse("sha256:" + std::string(64, 'a'))});
    const auto waited = http::WaitFor(
        -1, 0,
        {.deadline = http::Clock::now() + std::chrono::seconds(20), .cancellation = cancellation});
    const std::lock_guard lock(mutex);
    cancelled = !waited.ok() && waited.error().code() == Code::kCancelled;
    ended.notify_all();
    return Error(Code::kCancelled, "cancelled");
  };
  {
    http::Request request{.method = "POST",
                          .url = "http://localhost/node/v1/images/pull?progress=true"};
    request.unix_socket = Socket();
    auto response = client_.Send(request);
    ASSERT_TRUE(response.ok());
  }
  std::unique_lock lock(mutex);
  EXPECT_TRUE(ended.wait_for(lock, std::chrono::seconds(20), [&] { return cancelled; }));
}

TEST_F(ImageFactsTest, APullWithoutProgressEndsWithItsClient) {
  std::mutex mutex;
  std::condition_variable changed;
  bool begun = false;
  bool cancelled = false;
  pull_ = [&](const image::PullObserver& observer,
              const http::Cancellation* cancellation) -> Result<NodeImage> {
    EXPECT_FALSE(observer);
    {
      const std::lock_guard lock(mutex);
      begun = true;
      changed.notify_all();
    }
    const auto waited = http::WaitFor(
        -1, 0,
        {.deadline = http::Clock::now() + std::chrono::seconds(20), .cancellation = cancellation});
    const std::lock_guard lock(mutex);
    cancelled = !waited.ok() && waited.error().code() == Code::kCancelled;
    changed.notify_all();
    return Error(Code::kCancelled, "cancelled");
  };
  auto socket = http::ConnectUnix(Socket(), {});
  ASSERT_TRUE(socket.ok()) << socket.error().message();
  const std::string request =
      "POST /node/v1/images/pull?image=a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
  ASSERT_EQ(write(socket->get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return begun; }));
  socket->reset();
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return cancelled; }));
}

TEST_F(ImageFactsTest, VerifyingTellsWhatIsDamaged) {
  const auto [status, id] = Import(RootFileSystem(5'000), "name=base:1");
  ASSERT_EQ(status, 200) << id;
  EXPECT_EQ(Send({.method = "POST"}, "verify"), std::pair(200, std::string("{\"items\":[]}\n")));
  const image::ImageInfo info = *store_->Resolve("base:1");
  std::filesystem::remove_all(info.layers.at(0));
  const auto answer = Send({.method = "POST"}, "verify").second;
  EXPECT_THAT(answer, HasSubstr(info.document.rootfs.diff_ids[0]));
  EXPECT_THAT(answer, HasSubstr(info.id.String()));
  EXPECT_THAT(answer, HasSubstr("\"mended\":true"));
  EXPECT_EQ(Send({.method = "POST"}, "verify").second, "{\"items\":[]}\n");
}

}  // namespace
}  // namespace podium::node

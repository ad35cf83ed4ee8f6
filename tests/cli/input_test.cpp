#include "cli/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace podium::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class InputTest : public testing::Test {
 protected:
  InputTest()
      : root_(fs::temp_directory_path() / ("podium_input_test_" + std::to_string(getpid()))) {
    fs::create_directories(root_);
  }
  ~InputTest() override { fs::remove_all(root_); }

  std::string Write(const std::string& name, const std::string& text = "") {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::string Path(const std::string& name) const { return (root_ / name).string(); }

  const fs::path root_;
};

TEST_F(InputTest, AFolderStandsForItsManifests) {
  for (const char* name : {"b.yaml", "a.yml", "c.json", "d.txt", "yaml", "sub/e.yaml"}) Write(name);
  fs::create_symlink(root_ / "b.yaml", root_ / "link.yaml");
  fs::create_symlink(root_ / "nowhere", root_ / "dangling");
  fs::create_directory_symlink(root_, root_ / "sub" / "loop.yaml");
  EXPECT_THAT(ListFiles({root_.string()}, false).files,
              ElementsAre(Path("a.yml"), Path("b.yaml"), Path("c.json"), Path("link.yaml")));
  EXPECT_THAT(ListFiles({root_.string() + "/"}, true).files,
              ElementsAre(Path("a.yml"), Path("b.yaml"), Path("c.json"), Path("link.yaml"),
                          Path("sub/e.yaml")));
}

TEST_F(InputTest, NoManifestOfAFolderIsPassedOver) {
  fs::create_symlink(root_ / "nowhere", root_ / "dangling.yaml");
  ASSERT_EQ(mkfifo(Path("pipe.json").c_str(), 0600), 0);
  Write("sub.yml/a.yaml");
  const FileList list = ListFiles({root_.string()}, false);
  EXPECT_THAT(list.files, IsEmpty());
  ASSERT_EQ(list.errors.size(), 2U);
  EXPECT_EQ(list.errors[0].name, Path("dangling.yaml"));
  EXPECT_EQ(list.errors[0].error.message(), "cannot be read: No such file or directory");
  EXPECT_EQ(list.errors[1].name, Path("pipe.json"));
  EXPECT_EQ(list.errors[1].error.message(), "is no regular file");
}

TEST_F(InputTest, FilesAreTakenWhateverTheyAreCalled) {
  const std::string file = Write("notes.txt");
  const FileList list = ListFiles({"-", file}, false);
  EXPECT_THAT(list.files, ElementsAre("-", file));
  EXPECT_THAT(list.errors, IsEmpty());
}

TEST_F(InputTest, NamesThatStandForNothing) {
  fs::create_directory(root_ / "empty");
  const std::string file = Write("a.yaml");
  const FileList list = ListFiles({Path("missing"), Path("empty"), file, file + "/x"}, false);
  EXPECT_THAT(list.files, ElementsAre(file));
  ASSERT_EQ(list.errors.size(), 3U);
  EXPECT_EQ(list.errors[0].name, Path("missing"));
  EXPECT_EQ(list.errors[0].error.message(), "cannot be read: No such file or directory");
  EXPECT_EQ(list.errors[1].error.message(), "no file in it ends in .yaml, .yml or .json");
  EXPECT_EQ(list.errors[2].error.message(), "cannot be read: Not a directory");
}

TEST_F(InputTest, ReadsBytesAndRefusesTooMany) {
  const std::string text = std::string("a\0b", 3) + std::string(200'000, 'x');
  Result<std::string> read = ReadInput(Write("a", text));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, text);
  EXPECT_EQ(ReadInput(Path("missing")).error().code(), Code::kNotFound);
  EXPECT_EQ(ReadInput(root_.string()).error().message(), "cannot be read: Is a directory");

  const std::string huge = Write("huge");
  fs::resize_file(huge, kMaxFileSize + 1);
  EXPECT_EQ(ReadInput(huge).error().message(), "larger than 64 MiB");
  // Has no size to go by.
  EXPECT_EQ(ReadInput("/dev/zero").error().message(), "larger than 64 MiB");
}

struct Read {
  std::string json;
  std::string problem;
  int line;

  friend bool operator==(const Read&, const Read&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Read& read) {
    return out << read.json << " or " << read.problem << " at " << read.line;
  }
};

std::vector<Read> ReadAll(std::string_view text) {
  std::vector<Read> all;
  DocumentReader reader(text);
  Document document;
  while (reader.Next(&document)) {
    EXPECT_EQ(document.number, all.size() + 1);
    const bool bad = !document.problem.empty();
    all.push_back({document.json, document.problem,
                   bad ? document.problem_position.line : document.start.line});
  }
  return all;
}

TEST(DocumentReader, Yaml) {
  EXPECT_THAT(ReadAll(""), IsEmpty());
  EXPECT_THAT(ReadAll("# nothing\n---\n\n---\nnull\n"), IsEmpty());
  EXPECT_THAT(ReadAll("a: 1\n---\n---\n# b\nb: 2\n"),
              ElementsAre(Read{R"({"a":1})", "", 1}, Read{R"({"b":2})", "", 5}));
  EXPECT_THAT(ReadAll("\xEF\xBB\xBF"
                      "a: 1\n"),
              ElementsAre(Read{R"({"a":1})", "", 1}));
}

TEST(DocumentReader, GoesOnBehindABrokenDocument) {
  const auto all = ReadAll("a: [1\n---\nb: 2\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].json, "");
  EXPECT_NE(all[0].problem, "");
  EXPECT_EQ(all[1], (Read{R"({"b":2})", "", 3}));
}

TEST(DocumentReader, Json) {
  EXPECT_THAT(ReadAll(" {\"a\": \"}\\\"\"}\n{\"b\":[{}]} "),
              ElementsAre(Read{R"({"a": "}\""})", "", 1}, Read{R"({"b":[{}]})", "", 2}));
  EXPECT_THAT(ReadAll("{}\n---\n{\"a\":1}"),
              ElementsAre(Read{"{}", "", 1}, Read{"{\"a\":1}", "", 3}));
  EXPECT_THAT(ReadAll("{\"a\": [1"), ElementsAre(Read{"{\"a\": [1", "", 1}));
  EXPECT_THAT(ReadAll("{} x\n{}"),
              ElementsAre(Read{"{}", "", 1}, Read{"x", "", 1}, Read{"{}", "", 2}));
}

TEST(Document, PositionsAreThoseOfTheFile) {
  DocumentReader yaml("---\na: 1\n---\nb:\n  - c: x\n");
  Document document;
  ASSERT_TRUE(yaml.Next(&document) && yaml.Next(&document));
  EXPECT_EQ(document.At(document.json.find("\"x\"")), (reflect::Position{5, 8}));
  DocumentReader json("{}\n {\n \"é\": [true]}");
  ASSERT_TRUE(json.Next(&document) && json.Next(&document));
  EXPECT_EQ(document.start, (reflect::Position{2, 2}));
  EXPECT_EQ(document.At(document.json.find("true")), (reflect::Position{3, 8}));
}

}  // namespace
}  // namespace podium::cli

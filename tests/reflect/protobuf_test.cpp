#include "reflect/protobuf.h"

#include <gtest/gtest.h>

#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using namespace std::string_view_literals;
using testing::Everything;
using testing::Port;

template <class T>
std::string Encode(const T& object) {
  std::string out;
  EXPECT_TRUE(EncodeProtobuf(TypeOf<T>(), &object, &out).ok());
  return out;
}

TEST(ProtobufTest, FieldsStandInNumberOrderAndZeroScalarsAreWritten) {
  EXPECT_EQ(Encode(Port()), "\x0a\0\x18\0"sv);
  EXPECT_EQ(Encode(Port{"p", -1, 300}),
            "\x0a\x01p\x10\xac\x02\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv);
}

TEST(ProtobufTest, InlinedFieldsAreANestedMessage) {
  Everything object;
  object.path = "/x";
  EXPECT_TRUE(Encode(object).ends_with("\xc2\x02\x04\x0a\x02/x"sv));
  object.path.reset();
  EXPECT_TRUE(Encode(object).ends_with("\xc2\x02\x00"sv));
}

TEST(ProtobufTest, MapsAreSortedAndEntriesWriteKeyAndValue) {
  Everything object;
  object.labels = {{"b", ""}, {"a", "1"}};
  EXPECT_NE(Encode(object).find("\xba\x01\x06\x0a\x01\x61\x12\x01\x31"
                                "\xba\x01\x05\x0a\x01\x62\x12\x00"sv),
            std::string::npos);
}

TEST(ProtobufTest, EnvelopeCarriesKindAndApiVersion) {
  Everything object;
  object.kind = "Everything";
  object.apiVersion = "test.podium/v1";
  object.text = "hello";
  std::string bytes;
  ASSERT_TRUE(EncodeEnveloped(TypeOf<Everything>(), &object, &bytes).ok());
  ASSERT_TRUE(HasEnvelope(bytes));
  auto envelope = ReadEnvelope(bytes);
  ASSERT_TRUE(envelope.ok());
  EXPECT_EQ(envelope->api_version, "test.podium/v1");
  EXPECT_EQ(envelope->kind, "Everything");
  EXPECT_EQ(envelope->raw, Encode(object));
  Everything back;
  ASSERT_TRUE(DecodeEnveloped(bytes, TypeOf<Everything>(), &back).ok());
  EXPECT_TRUE(Equal(object, back));
}

TEST(ProtobufTest, ReadsAnyOrderPackedNumbersAndSkipsUnknownFields) {
  Port port;
  ASSERT_TRUE(
      DecodeProtobuf("\x18\x05\x78\x01\x7a\x02zz\x7d\0\0\0\0\x79\0\0\0\0\0\0\0\0\x0a\x01n"sv,
                     TypeOf<Port>(), &port)
          .ok());
  EXPECT_EQ(port.name, "n");
  EXPECT_EQ(port.containerPort, 5);

  Everything object;
  ASSERT_TRUE(
      DecodeProtobuf("\xaa\x01\x02\x01\x02\xa8\x01\x03"sv, TypeOf<Everything>(), &object).ok());
  EXPECT_EQ(object.numbers, (List<int64_t>{1, 2, 3}));
}

TEST(ProtobufTest, DamagedBytesAreNamedByPath) {
  Everything object;
  auto result = DecodeProtobuf("\x92\x01\x03\x0a\x05x"sv, TypeOf<Everything>(), &object);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "ports: field is cut off");
  for (std::string_view bad :
       {"\x08"sv, "\x00"sv, "\x0b"sv, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv,
        "\x0a\x01"sv, "\x42\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, "\x0d\0\0\0\0"sv}) {
    Everything other;
    EXPECT_FALSE(DecodeProtobuf(bad, TypeOf<Everything>(), &other).ok());
  }
}

TEST(ProtobufTest, EmptyElementsCannotTakeAllMemory) {
  // The same field over and over is one object.
  std::string bomb;
  for (int i = 0; i < 200'000; ++i) bomb += "\x12\x00"sv;
  testing::SchemaOrBool object;
  EXPECT_TRUE(DecodeProtobuf(bomb, TypeOf<testing::SchemaOrBool>(), &object).ok());

  std::string deep;
  for (int i = 0; i < 1200; ++i) {
    std::string length;
    for (size_t n = deep.size(); true; n >>= 7) {
      length += static_cast<char>(n >= 0x80 ? (n & 0x7f) | 0x80 : n);
      if (n < 0x80) break;
    }
    deep = "\x12" + length + deep;
  }
  auto result = DecodeProtobuf(deep, TypeOf<testing::SchemaOrBool>(), &object);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), Code::kResourceExhausted);

  std::string labels;
  for (int i = 0; i < 100'000; ++i) labels += "\x92\x01\x00"sv;
  Everything many;
  EXPECT_TRUE(DecodeProtobuf(labels, TypeOf<Everything>(), &many).ok());
  EXPECT_EQ(many.ports.size(), 100'000u);
}

}  // namespace
}  // namespace podium::reflect

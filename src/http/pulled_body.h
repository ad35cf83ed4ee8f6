// The body of an answer, made while the client takes it: a list of ten thousand objects, or a
// watch. The loop of the connection asks for the next piece when the client has taken what there
// was, so memory does not grow with clients that are slow, and no thread waits for them.
//
//   class Lines : public PulledBody {
//     void Attach(BodyWaker waker) override { log_.OnLine(std::move(waker)); }  // later: Wake()
//     Result<BodyPiece> Next() override {
//       if (!log_.Take(&line_)) return BodyPiece{{}, BodyPiece::Then::kWait};
//       return BodyPiece{line_, BodyPiece::Then::kMore};
//     }
//   };
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace podium::http {

// Tells the loop that a source which had nothing has something, or has come to its end.
//
// Threads: any, and it may outlive all else: a call for an answer that is over does nothing. Calls
// are gathered, so that a thousand of them are cheap.
class BodyWaker {
 public:
  struct Target;
  BodyWaker() = default;  // wakes nobody
  explicit BodyWaker(std::shared_ptr<Target> target) : target_(std::move(target)) {}
  // Of a body that is pulled by somebody else than a loop: calls `wake`, each time.
  explicit BodyWaker(std::function<void()> wake);
  void Wake() const;

 private:
  std::shared_ptr<Target> target_;
};

struct BodyPiece {
  enum class Then {
    kMore,  // ask again when these are taken
    kWait,  // ask again after Wake
    kEnd,   // the body is whole
  };
  std::string_view bytes{};  // may be empty; valid until the next call, or the source's end
  Then then = Then::kMore;
};

// Threads: everything is called on the loop's thread, one at a time; so is the destructor, unless
// the client was gone before. Nothing here waits, or computes for longer than some hundred
// microseconds: all connections of the loop wait for it.
class PulledBody {
 public:
  // Called when the answer is over: whole, broken, or refused.
  virtual ~PulledBody() = default;

  // Once, before the first piece.
  virtual void Attach(BodyWaker /*waker*/) {}  // NOLINT(*-value-param): who overrides it keeps it
  // May be called without a Wake too. What was asked for before is taken then. An error breaks the
  // answer, so that the client does not take a part for the whole. What comes in small pieces
  // without a wait is gathered; a large piece is taken bit by bit.
  virtual Result<BodyPiece> Next() = 0;
  // What is said behind the last piece, asked for once the answer ends as a whole. HTTP/2 alone has
  // a place for it here; fields that cannot be sent break the answer.
  virtual Headers Trailers() { return {}; }
};

}  // namespace podium::http

#include "metrics/rows.hpp"

#include <cstring>

namespace serval::metrics {
namespace {

using layout::Place;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr std::size_t kWord = sizeof(std::uint64_t);

/// One round of MurmurHash3's finalizer: every bit of a word has a part in every bit of the tag.
std::uint64_t mixed(std::uint64_t tag, std::uint64_t word) {
  tag = (tag ^ word) * 0xff51'afd7'ed55'8ccd;
  return tag ^ (tag >> 33);
}

bool has_words_of(const Place& place, const Key& key) {
  for (std::size_t label = 0; label < key.labels; ++label) {
    for (std::size_t i = 0; i < layout::kWordsOfValue; ++i) {
      if (place.values[label][i].load(kRelaxed) != key.words[label][i]) return false;
    }
  }
  return true;
}

void write_words(Place& place, const Key& key) {
  for (std::size_t label = 0; label < key.labels; ++label) {
    for (std::size_t i = 0; i < layout::kWordsOfValue; ++i) place.values[label][i].store(key.words[label][i], kRelaxed);
  }
  place.whole.store(1, kRelease);
}

/// Whether the place, which has the key's tag, is the key's. Where its values have not been written yet they are the
/// same ones, unless two tags are equal by chance: then figures get mixed up, and nothing else.
bool belongs_to(Place& place, const Key& key) {
  if (place.whole.load(kAcquire) != 0) return has_words_of(place, key);
  write_words(place, key);
  return true;
}

/// One more may be filled, and is counted.
bool take_one(const Rows& rows) {
  if (rows.filled->load(kRelaxed) >= rows.limit) return false;
  if (rows.filled->fetch_add(1, kRelaxed) < rows.limit) return true;
  rows.filled->fetch_sub(1, kRelaxed);
  return false;
}

}  // namespace

Key key_of(std::span<const std::string_view> values) {
  Key key;
  key.labels = values.size();
  for (std::size_t label = 0; label < values.size(); ++label) {
    const std::string_view value = kept(values[label]);
    key.words[label].fill(0);
    value.copy(reinterpret_cast<char*>(key.words[label].data()), value.size());  // as memcpy, but for an absent text
    for (std::size_t i = 0; i * kWord < value.size(); ++i) key.tag = mixed(key.tag, key.words[label][i]);
    key.tag = mixed(key.tag, label + 1);  // "ab", "" is not "a", "b"
    key.is_other = key.is_other && value == kOther;
  }
  if (key.tag == 0) key.tag = 1;
  return key;
}

std::uint32_t find_row(const Rows& rows, const Key& key) {
  const std::size_t size = rows.places.size();
  std::size_t index = (key.tag >> 32) * size >> 32;  // as % would do, which takes longer than all the rest
  for (std::size_t tried = 0; tried < size; ++tried, index = index + 1 == size ? 0 : index + 1) {
    Place& place = rows.places[index];
    std::uint64_t tag = place.tag.load(kAcquire);
    if (tag == 0) {
      if (!take_one(rows)) return 0;
      if (place.tag.compare_exchange_strong(tag, key.tag, std::memory_order_acq_rel)) {
        write_words(place, key);
        return static_cast<std::uint32_t>(index + 1);
      }
      rows.filled->fetch_sub(1, kRelaxed);  // another thread was faster, and `tag` is what it has put there
    }
    if (tag == key.tag && belongs_to(place, key)) return static_cast<std::uint32_t>(index + 1);
  }
  return 0;
}

std::optional<std::vector<std::string>> read_values(const Place& place, std::size_t labels) {
  if (place.tag.load(kAcquire) == 0 || place.whole.load(kAcquire) == 0) return std::nullopt;
  std::vector<std::string> values;
  for (std::size_t label = 0; label < labels; ++label) {
    std::array<char, layout::kWordsOfValue * kWord> bytes;
    for (std::size_t i = 0; i < layout::kWordsOfValue; ++i) {
      const std::uint64_t word = place.values[label][i].load(kRelaxed);
      std::memcpy(bytes.data() + i * kWord, &word, kWord);
    }
    values.push_back(shown({bytes.data(), bytes.size()}, 3 * kMaxValue));
  }
  return values;
}

}  // namespace serval::metrics

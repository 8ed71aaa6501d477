#include "base/growing_heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace keyvigil {
namespace {

constexpr std::uintptr_t kHugePageBytes = std::uintptr_t{2} << 20;
constexpr int kStepBytes = 64 << 20;
constexpr int kLargestInHeapBytes = 32 << 20;  // glibc takes no more

std::uintptr_t end_of_heap() {
  return reinterpret_cast<std::uintptr_t>(sbrk(0));
}

std::uintptr_t whole_pages(std::uintptr_t address) {
  return address / kHugePageBytes * kHugePageBytes;
}

}  // namespace

GrowingHeap::GrowingHeap() : offered_to_(whole_pages(end_of_heap())) {
  mallopt(M_TOP_PAD, kStepBytes);
  mallopt(M_TRIM_THRESHOLD, 2 * kStepBytes);
  mallopt(M_MMAP_THRESHOLD, kLargestInHeapBytes);
}

void GrowingHeap::offer() {
  const std::uintptr_t end = whole_pages(end_of_heap());
  if (end <= offered_to_) { return; }
  // What it says is of no consequence: pages stay as they are then.
  (void)madvise(reinterpret_cast<void*>(offered_to_), end - offered_to_, MADV_HUGEPAGE);
  offered_to_ = end;
}

}  // namespace keyvigil

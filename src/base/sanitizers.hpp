#pragma once

/// Which sanitizers this is compiled with (GCC's macros, clang's features): for the little that cannot be the same with
/// them.
#if defined(__has_feature)
#define SERVAL_HAS_FEATURE(name) __has_feature(name)
#else
#define SERVAL_HAS_FEATURE(name) 0
#endif

namespace serval {

#if defined(__SANITIZE_THREAD__) || SERVAL_HAS_FEATURE(thread_sanitizer)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || SERVAL_HAS_FEATURE(address_sanitizer)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

/// Their shadow memory is terabytes of private memory that may be written: any limit of a process's memory is passed
/// before it begins.
constexpr bool kShadowMemory = kThreadSanitizer || kAddressSanitizer;

}  // namespace serval

#undef SERVAL_HAS_FEATURE

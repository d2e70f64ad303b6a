// Fails chosen calls of one process, preloaded into it.
//
// FORWARDER_FAIL names a file of rules, one a line: FUNCTION FIRST [LAST [ERROR]]. From the moment a line is read the calls of
// that function are counted from 1, and those from FIRST to LAST (FIRST unless given) do nothing and fail with ERROR. The
// file may be replaced at any time; the counts then begin anew. Each failure is a line on standard error. Without the
// variable a call costs one comparison more.
//
// FUNCTION.one   fails for the first partition of the list that the call is given, and does the rest of its work
// FUNCTION@TEXT  only on files whose path ends with TEXT
//
// A call that a library makes of itself does not count.

#define _GNU_SOURCE
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

struct rule {
    char function[64], path[64];
    long first, last, calls;
    int error;
};

static const char *file;
static struct rule rules[64];
static int rule_count;
static struct timespec read_at;
static ino_t read_from;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void start(void) { file = getenv("FORWARDER_FAIL"); }

/// With system calls: the functions of the library may be among those that fail.
static void read_rules(void) {
    struct stat status;
    if (stat(file, &status) != 0) return;
    if (status.st_ino == read_from && memcmp(&status.st_mtim, &read_at, sizeof read_at) == 0) return;
    read_from = status.st_ino;
    read_at = status.st_mtim;
    rule_count = 0;
    char text[4096];
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    long length = syscall(SYS_read, descriptor, text, sizeof text - 1);
    syscall(SYS_close, descriptor);
    text[length > 0 ? length : 0] = 0;
    char *rest, *line = strtok_r(text, "\n", &rest);
    for (; line && rule_count < 64; line = strtok_r(NULL, "\n", &rest)) {
        struct rule rule = {0};
        if (sscanf(line, "%63s %ld %ld %d", rule.function, &rule.first, &rule.last, &rule.error) < 2) continue;
        if (rule.last < rule.first) rule.last = rule.first;
        char *at = strchr(rule.function, '@');
        if (at) {
            strcpy(rule.path, at + 1);
            *at = 0;
        }
        rules[rule_count++] = rule;
    }
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/// Whether this call is to fail. `error` is then what its rule says, if it says anything.
static bool fails(const char *function, const char *path, const void *real, const void *caller, int *error) {
    if (!file) return false;
    Dl_info from, to;
    if (dladdr(caller, &from) && dladdr(real, &to) && from.dli_fbase == to.dli_fbase) return false;
    bool result = false;
    pthread_mutex_lock(&mutex);
    read_rules();
    for (int i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (strcmp(rule->function, function) != 0 || !ends_with(path, rule->path)) continue;
        rule->calls += 1;
        if (result || rule->calls < rule->first || rule->calls > rule->last) continue;
        result = true;
        if (rule->error) *error = rule->error;
        char line[256];
        int length = snprintf(line, sizeof line, "made to fail: %s, call %ld\n", function, rule->calls);
        syscall(SYS_write, STDERR_FILENO, line, length);
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

static const char *path_of(int descriptor, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long length = file ? syscall(SYS_readlinkat, AT_FDCWD, link, buffer, size - 1) : 0;
    buffer[length > 0 ? length : 0] = 0;
    return buffer;
}

#define REAL(type, name, parameters) \
    static type(*real) parameters; \
    if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name)
#define CALLER __builtin_return_address(0)

/// A function that fails by returning `failure`, which may use `error`, `usual` unless its rule says otherwise.
#define WRAP(type, name, parameters, arguments, usual, failure) \
    type name parameters { \
        REAL(type, name, parameters); \
        int error = usual; \
        if (fails(#name, "", real, CALLER, &error)) return failure; \
        return real arguments; \
    }

// MARK: librdkafka

typedef rd_kafka_topic_partition_list_t list_t;
#define KAFKA(name, parameters, arguments) \
    WRAP(rd_kafka_resp_err_t, name, parameters, arguments, RD_KAFKA_RESP_ERR__FAIL, (rd_kafka_resp_err_t)error)
#define KAFKA_ERROR(name, parameters, arguments) \
    WRAP(rd_kafka_error_t *, name, parameters, arguments, RD_KAFKA_RESP_ERR__FAIL, \
         rd_kafka_error_new((rd_kafka_resp_err_t)error, "made to fail"))

/// The same with a list; `name.one` leaves the first partition out, and says so in its element.
#define KAFKA_LIST(name, parameters, arguments) \
    rd_kafka_resp_err_t name parameters { \
        REAL(rd_kafka_resp_err_t, name, parameters); \
        int error = RD_KAFKA_RESP_ERR__FAIL; \
        if (fails(#name, "", real, CALLER, &error)) return (rd_kafka_resp_err_t)error; \
        if (!list || list->cnt == 0 || !fails(#name ".one", "", real, CALLER, &error)) return real arguments; \
        list_t *whole = list, others = {whole->cnt - 1, whole->size - 1, whole->elems + 1}; \
        list = &others; \
        rd_kafka_resp_err_t code = others.cnt > 0 ? real arguments : RD_KAFKA_RESP_ERR_NO_ERROR; \
        whole->elems[0].err = (rd_kafka_resp_err_t)error; \
        return code; \
    }

static _Thread_local rd_kafka_resp_err_t why_not_new;

rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *reason, size_t size) {
    REAL(rd_kafka_t *, rd_kafka_new, (rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t));
    int error = RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    why_not_new = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!fails("rd_kafka_new", "", real, CALLER, &error)) return real(type, conf, reason, size);
    why_not_new = (rd_kafka_resp_err_t)error;
    snprintf(reason, size, "made to fail");
    return NULL;
}

rd_kafka_resp_err_t rd_kafka_last_error(void) {
    REAL(rd_kafka_resp_err_t, rd_kafka_last_error, (void));
    return why_not_new ? why_not_new : real();
}

KAFKA(rd_kafka_subscribe, (rd_kafka_t * client, const list_t *list), (client, list))
KAFKA(rd_kafka_unsubscribe, (rd_kafka_t * client), (client))
KAFKA(rd_kafka_assign, (rd_kafka_t * client, const list_t *list), (client, list))
KAFKA_ERROR(rd_kafka_incremental_assign, (rd_kafka_t * client, const list_t *list), (client, list))
KAFKA_ERROR(rd_kafka_incremental_unassign, (rd_kafka_t * client, const list_t *list), (client, list))
KAFKA_ERROR(rd_kafka_consumer_close_queue, (rd_kafka_t * client, rd_kafka_queue_t *queue), (client, queue))
WRAP(int, rd_kafka_consumer_closed, (rd_kafka_t * client), (client), 0, error)
KAFKA_LIST(rd_kafka_pause_partitions, (rd_kafka_t * client, list_t *list), (client, list))
KAFKA_LIST(rd_kafka_resume_partitions, (rd_kafka_t * client, list_t *list), (client, list))
KAFKA_LIST(rd_kafka_position, (rd_kafka_t * client, list_t *list), (client, list))
KAFKA_LIST(rd_kafka_committed, (rd_kafka_t * client, list_t *list, int timeout), (client, list, timeout))
KAFKA_LIST(rd_kafka_offsets_for_times, (rd_kafka_t * client, list_t *list, int timeout), (client, list, timeout))
KAFKA(rd_kafka_get_watermark_offsets,
      (rd_kafka_t * client, const char *topic, int32_t partition, int64_t *low, int64_t *high),
      (client, topic, partition, low, high))
KAFKA(rd_kafka_commit_queue,
      (rd_kafka_t * client, const list_t *list, rd_kafka_queue_t *queue,
       void (*callback)(rd_kafka_t *, rd_kafka_resp_err_t, list_t *, void *), void *context),
      (client, list, queue, callback, context))
WRAP(rd_kafka_event_t *, rd_kafka_queue_poll, (rd_kafka_queue_t * queue, int timeout), (queue, timeout), 0, NULL)
WRAP(rd_kafka_queue_t *, rd_kafka_queue_get_consumer, (rd_kafka_t * client), (client), 0, NULL)

// MARK: libcurl

#define EASY(name, parameters, arguments) \
    WRAP(CURLcode, name, parameters, arguments, CURLE_OUT_OF_MEMORY, (CURLcode)error)
#define MULTI(name, parameters, arguments) \
    WRAP(CURLMcode, name, parameters, arguments, CURLM_OUT_OF_MEMORY, (CURLMcode)error)
/// One argument follows the option, which fits a register whatever it is.
#define OPTION(type, name, handle, option, usual) \
    type name(handle *owner, option which, ...) { \
        REAL(type, name, (handle *, option, ...)); \
        int error = usual; \
        if (fails(#name, "", real, CALLER, &error)) return (type)error; \
        va_list list; \
        va_start(list, which); \
        void *value = va_arg(list, void *); \
        va_end(list); \
        return real(owner, which, value); \
    }

EASY(curl_global_init, (long flags), (flags))
WRAP(CURLM *, curl_multi_init, (void), (), 0, NULL)
WRAP(CURL *, curl_easy_init, (void), (), 0, NULL)
OPTION(CURLcode, curl_easy_setopt, CURL, CURLoption, CURLE_OUT_OF_MEMORY)
OPTION(CURLcode, curl_easy_getinfo, CURL, CURLINFO, CURLE_OUT_OF_MEMORY)
OPTION(CURLMcode, curl_multi_setopt, CURLM, CURLMoption, CURLM_OUT_OF_MEMORY)
MULTI(curl_multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy))
MULTI(curl_multi_perform, (CURLM * multi, int *running), (multi, running))
MULTI(curl_multi_poll, (CURLM * multi, struct curl_waitfd *more, unsigned int count, int timeout, int *ready),
      (multi, more, count, timeout, ready))
MULTI(curl_multi_wakeup, (CURLM * multi), (multi))
WRAP(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left), 0, NULL)
WRAP(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text), (list, text), 0, NULL)

// MARK: libmicrohttpd

struct MHD_Daemon *MHD_start_daemon(
    unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback accept, void *accept_context,
    MHD_AccessHandlerCallback handle, void *context, ...) {
    typedef struct MHD_Daemon *start_va(
        unsigned int, uint16_t, MHD_AcceptPolicyCallback, void *, MHD_AccessHandlerCallback, void *, va_list);
    static start_va *real;
    if (!real) real = (start_va *)dlsym(RTLD_NEXT, "MHD_start_daemon_va");
    int error;
    if (fails("MHD_start_daemon", "", real, CALLER, &error)) return NULL;
    va_list options;
    va_start(options, context);
    struct MHD_Daemon *daemon = real(flags, port, accept, accept_context, handle, context, options);
    va_end(options);
    return daemon;
}
WRAP(struct MHD_Response *, MHD_create_response_from_buffer,
     (size_t size, void *buffer, enum MHD_ResponseMemoryMode mode), (size, buffer, mode), 0, NULL)
WRAP(enum MHD_Result, MHD_add_response_header,
     (struct MHD_Response * response, const char *name, const char *value), (response, name, value), 0, MHD_NO)
WRAP(enum MHD_Result, MHD_queue_response,
     (struct MHD_Connection * connection, unsigned int status, struct MHD_Response *response),
     (connection, status, response), 0, MHD_NO)

// MARK: The system

#define ON_FILE(type, name, parameters, arguments) \
    type name parameters { \
        REAL(type, name, parameters); \
        char path[512]; \
        int error = EIO; \
        if (!fails(#name, path_of(descriptor, path, sizeof path), real, CALLER, &error)) return real arguments; \
        errno = error; \
        return -1; \
    }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, name, (const char *, int, ...)); \
        int error = EIO; \
        if (fails(#name, path, real, CALLER, &error)) { \
            errno = error; \
            return -1; \
        } \
        va_list list; \
        va_start(list, flags); \
        unsigned int mode = flags & O_CREAT ? va_arg(list, unsigned int) : 0; \
        va_end(list); \
        return real(path, flags, mode); \
    }

ON_FILE(int, fsync, (int descriptor), (descriptor))
ON_FILE(int, fdatasync, (int descriptor), (descriptor))
ON_FILE(ssize_t, write, (int descriptor, const void *bytes, size_t count), (descriptor, bytes, count))
ON_FILE(ssize_t, pwrite64, (int descriptor, const void *bytes, size_t count, off_t offset),
        (descriptor, bytes, count, offset))
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
    REAL(int, rename, (const char *, const char *));
    int error = EIO;
    if (!fails("rename", to, real, CALLER, &error)) return real(from, to);
    errno = error;
    return -1;
}

/// With which librdkafka makes its threads.
WRAP(int, thrd_create, (thrd_t * thread, thrd_start_t body, void *context), (thread, body, context), thrd_error, error)

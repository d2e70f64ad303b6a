// The floor under the daemon: what librdkafka, libcurl with TLS and SHA-256 cost by themselves. It reads a topic in a
// group, joins the values to JSON arrays, posts them and commits what was posted; it parses and decides nothing. What
// the daemon costs above this is the daemon's own.
//
//     cc -O2 -Wall -Wextra -Werror floor.c $(pkg-config --cflags --libs rdkafka libcurl libcrypto) -lpthread
//
// Environment: BENCH_BROKERS, BENCH_TOPIC, BENCH_GROUP, BENCH_URL (posts go to BENCH_URL/raw), BENCH_CA (PEM file, for
// https), BENCH_HASHES (SHA-256 per record, default 0). It runs until SIGTERM or SIGINT, posts and commits what it has
// polled, and exits with 0. A second signal of the same kind ends it at once.

#define _GNU_SOURCE                    // CLOCK_MONOTONIC_COARSE
#define OPENSSL_SUPPRESS_DEPRECATED    // SHA256_*: half the price of EVP for an input this short

#include <curl/curl.h>
#include <librdkafka/rdkafka.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { BODY_RECORDS = 1000, QUEUE = 16, SLOTS = QUEUE + 1, IN_FLIGHT = 4, PARTITIONS = 64, HASHED_BYTES = 29 };
enum { BODY_AGE = 200, RETRY_AFTER = 100, COMMIT_EACH = 500, IDLE_POLL = 100, REQUEST_TIMEOUT = 30000 };   // ms

typedef struct {
    char *text;
    size_t length, room;
    int records;
    int64_t opened;             // ms, when the first record came
    int64_t next[PARTITIONS];   // the offset after the last one read; 0: none of this partition
    bool posted;
} Body;

typedef struct {
    CURL *easy;
    Body *body;         // NULL: idle
    int64_t retry_at;   // 0: under way
    bool failed;        // at least once, with this body
} Request;

// Bodies are numbered; body n lives in slot n % SLOTS. Those below `done` are posted, those from `done` to `handed`
// belong to the sender, and body `handed` is the poller's.
static Body bodies[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done_changed = PTHREAD_COND_INITIALIZER;
static uint64_t handed, done;
static bool closing;
static CURLM *multi;
static Request requests[IN_FLIGHT];

// The poller's alone. What is not confirmed is committed again, so an asynchronous commit that fails needs no care.
static uint64_t settled;
static int64_t reached[PARTITIONS], confirmed[PARTITIONS];

static atomic_bool stopping;

static void on_signal(int number) {
    (void)number;
    stopping = true;
}

__attribute__((noreturn)) static void die(const char *what, const char *why) {
    fprintf(stderr, "floor: %s: %s\n", what, why);
    exit(1);
}

static const char *environment(const char *name) {
    const char *value = getenv(name);
    if (value == NULL || *value == '\0') die(name, "not set");
    return value;
}

// The coarse clock is right to a few ms, which is enough here, and it is read for every record.
static int64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

// MARK: - Sender

static size_t discard(char *data, size_t size, size_t count, void *context) {
    (void)data, (void)context;
    return size * count;
}

static CURL *new_easy(const char *url, const char *ca, struct curl_slist *headers) {
    CURL *easy = curl_easy_init();
    if (easy == NULL) die("curl_easy_init", "failed");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");   // whatever the environment says
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)REQUEST_TIMEOUT);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    if (ca != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);   // else the system's authorities are trusted as well
    }
    return easy;
}

static void start(Request *request) {
    request->retry_at = 0;
    // libcurl reads the text where it is: the slot is not filled again before the body is posted.
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body->length);
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, request->body->text);
    curl_multi_add_handle(multi, request->easy);
}

static void finish(Request *request, CURLcode result) {
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi, request->easy);
    if (result != CURLE_OK || status != 200) {
        if (!request->failed) {   // said once for each body: a sink that is away would fill the screen
            fprintf(stderr, "floor: post, to be retried: %s, status %ld\n", curl_easy_strerror(result), status);
        }
        request->failed = true;
        request->retry_at = milliseconds() + RETRY_AFTER;
        return;
    }
    pthread_mutex_lock(&lock);
    request->body->posted = true;
    while (done < handed && bodies[done % SLOTS].posted) done++;
    pthread_cond_signal(&done_changed);
    pthread_mutex_unlock(&lock);
    request->body = NULL;
}

static void *sender(void *context) {
    for (uint64_t started = 0;;) {
        pthread_mutex_lock(&lock);
        uint64_t limit = handed;
        bool last = closing;
        pthread_mutex_unlock(&lock);

        int64_t now = milliseconds(), wait = 1000;
        bool busy = false;
        for (Request *request = requests; request < requests + IN_FLIGHT; request++) {
            if (request->body == NULL && started < limit) {
                request->body = &bodies[started++ % SLOTS];
                request->failed = false;
                start(request);
            } else if (request->retry_at != 0 && request->retry_at <= now) {
                start(request);
            }
            if (request->retry_at != 0 && request->retry_at - now < wait) wait = request->retry_at - now;
            busy = busy || request->body != NULL;
        }
        if (last && !busy) return context;

        int running, left;
        CURLMcode error = curl_multi_perform(multi, &running);
        bool finished = false;
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL; finished = true) {
            Request *request = requests;
            while (request->easy != message->easy_handle) request++;
            finish(request, message->data.result);
        }
        // After an answer there may be a body waiting for the handle.
        if (!error && !finished) error = curl_multi_poll(multi, NULL, 0, (int)wait, NULL);
        if (error) die("libcurl", curl_multi_strerror(error));
    }
}

// MARK: - Offsets

static void reach(const Body *body) {
    for (int i = 0; i < PARTITIONS; i++) {
        if (body->next[i] != 0) reached[i] = body->next[i];
    }
}

static void settle(uint64_t upto) {
    while (settled < upto) reach(&bodies[settled++ % SLOTS]);
}

static void on_commit(rd_kafka_t *kafka, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *offsets,
                      void *context) {
    (void)kafka, (void)context;
    if (error) fprintf(stderr, "floor: commit: %s\n", rd_kafka_err2str(error));
    for (int i = 0; !error && offsets != NULL && i < offsets->cnt; i++) {
        const rd_kafka_topic_partition_t *each = &offsets->elems[i];
        if (!each->err) confirmed[each->partition] = each->offset;
        else fprintf(stderr, "floor: commit, partition %d: %s\n", each->partition, rd_kafka_err2str(each->err));
    }
}

// Commits what has been posted since; false if there was nothing.
static bool commit(rd_kafka_t *kafka, const char *topic, bool async) {
    pthread_mutex_lock(&lock);
    uint64_t upto = done;
    pthread_mutex_unlock(&lock);
    settle(upto);

    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        if (reached[i] != confirmed[i]) rd_kafka_topic_partition_list_add(offsets, topic, i)->offset = reached[i];
    }
    bool any = offsets->cnt > 0;
    // Both report to on_commit; a synchronous rd_kafka_commit would not, and hides that some of the partitions failed.
    if (any && async) rd_kafka_commit(kafka, offsets, 1);
    if (any && !async) rd_kafka_commit_queue(kafka, offsets, NULL, on_commit, NULL);
    rd_kafka_topic_partition_list_destroy(offsets);
    return any;
}

// MARK: - Poller

static rd_kafka_t *subscribed(const char *topic) {
    // A full queue puts a partition off for a second. Newer versions can shorten that; older ones need a queue so long
    // that it does not run dry meanwhile.
    bool newer = rd_kafka_version() >= 0x02020000;
    const char *properties[][2] = {
        {"bootstrap.servers", environment("BENCH_BROKERS")},
        {"group.id", environment("BENCH_GROUP")},
        {"auto.offset.reset", "earliest"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"fetch.wait.max.ms", "20"},
        {"session.timeout.ms", "6000"},
        {"heartbeat.interval.ms", "500"},
        {newer ? "fetch.queue.backoff.ms" : "queued.min.messages", newer ? "5" : "200000"},
        {"queued.max.messages.kbytes", newer ? "4096" : "131072"},
    };
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        const char *name = properties[i][0];
        if (rd_kafka_conf_set(conf, name, properties[i][1], why, sizeof why) != 0) die(name, why);
    }
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (kafka == NULL) die("rd_kafka_new", why);
    rd_kafka_poll_set_consumer(kafka);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(kafka, topics);
    if (error) die("subscribe", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(topics);
    return kafka;
}

static void hash(int times) {
    static unsigned char digest[SHA256_DIGEST_LENGTH];   // each begins the next input: the work is for something
    for (int i = 0; i < times; i++) {
        SHA256_CTX context;
        SHA256_Init(&context);
        SHA256_Update(&context, digest, HASHED_BYTES);
        SHA256_Final(digest, &context);
    }
}

static void append(Body *body, const void *value, size_t length) {
    size_t needed = body->length + length + 2;   // what stands before the value, and in the end the bracket
    if (needed > body->room) {
        body->room = 2 * needed;
        body->text = realloc(body->text, body->room);
        if (body->text == NULL) die("realloc", "out of memory");
    }
    if (body->records++ == 0) body->opened = milliseconds();
    body->text[body->length] = body->records == 1 ? '[' : ',';
    memcpy(body->text + body->length + 1, value, length);
    body->length += length + 1;
}

// Gives the body to the sender and returns the next one, empty; waits while the sender has all it may have.
static Body *hand_over(Body *body) {
    body->text[body->length++] = ']';
    pthread_mutex_lock(&lock);
    handed++;
    curl_multi_wakeup(multi);
    while (handed - done > QUEUE) pthread_cond_wait(&done_changed, &lock);
    settle(done);   // before the slot is used again
    pthread_mutex_unlock(&lock);
    body = &bodies[handed % SLOTS];
    body->length = 0;
    body->records = 0;
    body->posted = false;
    memset(body->next, 0, sizeof body->next);
    return body;
}

static Body *poll_until_stopped(rd_kafka_t *kafka, const char *topic, int hashes) {
    Body *body = &bodies[0];
    int64_t commit_at = milliseconds() + COMMIT_EACH;
    while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
        int64_t now = milliseconds();
        if (body->records == BODY_RECORDS || (body->records > 0 && now - body->opened >= BODY_AGE)) {
            body = hand_over(body);
        }
        if (now >= commit_at) {
            commit(kafka, topic, true);
            commit_at = now + COMMIT_EACH;
        }
        int64_t wait = body->records > 0 ? body->opened + BODY_AGE - now : IDLE_POLL;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, (int)wait);
        if (message == NULL) continue;
        if (message->err) {
            fprintf(stderr, "floor: poll: %s\n", rd_kafka_message_errstr(message));
        } else {
            if (message->partition >= PARTITIONS) die(topic, "too many partitions");
            body->next[message->partition] = message->offset + 1;
            if (message->payload != NULL) {   // not a tombstone
                hash(hashes);
                append(body, message->payload, message->len);
            }
        }
        rd_kafka_message_destroy(message);
    }
    return body;
}

int main(void) {
    const char *topic = environment("BENCH_TOPIC"), *base = environment("BENCH_URL"), *hashes = getenv("BENCH_HASHES");
    const char *ca = strncasecmp(base, "https:", 6) == 0 ? environment("BENCH_CA") : NULL;
    char url[1024];
    if (snprintf(url, sizeof url, "%s/raw", base) >= (int)sizeof url) die("BENCH_URL", "too long");

    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || (multi = curl_multi_init()) == NULL) die("libcurl", "no start");
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");   // else libcurl waits for a 100 before each large body
    for (int i = 0; i < IN_FLIGHT; i++) requests[i].easy = new_easy(url, ca, headers);
    rd_kafka_t *kafka = subscribed(topic);
    pthread_t thread;
    if (pthread_create(&thread, NULL, sender, NULL) != 0) die("pthread_create", "failed");

    Body *body = poll_until_stopped(kafka, topic, hashes == NULL ? 0 : atoi(hashes));
    if (body->records > 0) body = hand_over(body);
    pthread_mutex_lock(&lock);
    closing = true;
    curl_multi_wakeup(multi);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    settle(handed);
    reach(body);   // nothing to post, but perhaps the offsets of tombstones

    bool left = true;   // until a commit finds nothing to do
    for (int attempt = 0; attempt < 20 && left; attempt++) {
        if (attempt > 1) usleep(250000);   // the group may be rebalancing
        left = commit(kafka, topic, false);
    }
    if (left) fputs("floor: the last offsets are not committed\n", stderr);
    rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    for (int i = 0; i < IN_FLIGHT; i++) curl_easy_cleanup(requests[i].easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    for (int i = 0; i < SLOTS; i++) free(bodies[i].text);
    return left ? 1 : 0;
}

// The stream of updates: connects again by itself, and tells how it is doing.

const SILENCE = 5000;

export function listen(onUpdate, onConnection) {
  let source;
  let silence;

  function connect() {
    source = new EventSource("/events");
    source.onmessage = (message) => {
      alive();
      onUpdate(JSON.parse(message.data));
    };
    source.onerror = () => {
      onConnection("lost");
      // The browser tries again unless the answer was an error.
      if (source.readyState === EventSource.CLOSED) {
        reconnect();
      }
    };
  }

  function alive() {
    clearTimeout(silence);
    silence = setTimeout(reconnect, SILENCE);
    onConnection("live");
  }

  function reconnect() {
    onConnection("lost");
    source.close();
    clearTimeout(silence);
    silence = setTimeout(connect, 1000);
  }

  connect();
}

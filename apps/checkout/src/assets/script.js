// Improves the pages; every page works without it. No dependency, nothing from elsewhere.

// A form goes out once: a second click on its way is ignored. The server makes one order of two clicks as well.
for (const form of document.querySelectorAll('form[data-once]')) {
  let sent = false;
  const reopen = () => {
    sent = false;
    for (const button of form.querySelectorAll('[aria-disabled]')) button.removeAttribute('aria-disabled');
  };
  form.addEventListener('submit', (event) => {
    if (sent) return event.preventDefault();
    sent = true;
    event.submitter?.setAttribute('aria-disabled', 'true');
    // Who is still here after ten seconds has lost the network and may try again.
    setTimeout(reopen, 10_000);
  });
  // The back button brings the page back as it was left: it must be possible to send it again.
  addEventListener('pageshow', (event) => event.persisted && reopen());
}

document.getElementById('problems')?.focus();

// A picture that cannot be had gives way to the tile with the first letter.
for (const picture of document.querySelectorAll('img[data-letter]')) {
  picture.addEventListener('error', () => {
    const tile = Object.assign(document.createElement('span'), {
      className: 'thumb tile',
      ariaHidden: 'true',
      textContent: picture.dataset.letter,
    });
    picture.replaceWith(tile);
  });
  // It may have failed before anybody listened.
  if (picture.complete && picture.naturalWidth === 0) picture.setAttribute('src', picture.src);
}

// What is wrong is said when a field is left, and taken back as soon as it is right.
function complaintOf(field) {
  const value = field.type === 'checkbox' ? (field.checked ? 'yes' : '') : field.value.trim();
  if (value === '') return field.dataset.required ?? '';
  if (field.type === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return field.dataset.invalid ?? '';
  return '';
}

function say(field, text) {
  const id = `${field.id}-problem`;
  const described = new Set((field.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean));
  let problem = document.getElementById(id);
  if (text === '') {
    problem?.remove();
    described.delete(id);
  } else {
    if (problem === null) {
      problem = Object.assign(document.createElement('p'), { id, className: 'problem' });
      field.parentElement.append(problem);
    }
    problem.textContent = text;
    described.add(id);
  }
  field.setAttribute('aria-invalid', String(text !== ''));
  field.parentElement.classList.toggle('wrong', text !== '');
  if (described.size > 0) field.setAttribute('aria-describedby', [...described].join(' '));
  else field.removeAttribute('aria-describedby');
}

for (const field of document.querySelectorAll('[data-required]')) {
  // A field that was only passed through is not a mistake yet.
  field.addEventListener('blur', () => {
    if (field.value.trim() !== '' && field.type !== 'checkbox') say(field, complaintOf(field));
  });
  field.addEventListener(field.type === 'checkbox' || field.tagName === 'SELECT' ? 'change' : 'input', () => {
    if (field.getAttribute('aria-invalid') === 'true' && complaintOf(field) === '') say(field, '');
  });
}

for (const button of document.querySelectorAll('button[data-copy]')) {
  if (navigator.clipboard === undefined) continue;
  button.hidden = false;
  const words = button.textContent;
  const copied = () => {
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = words), 2000);
  };
  // A browser that refuses leaves the code to be selected by hand.
  button.addEventListener(
    'click',
    () => void navigator.clipboard.writeText(button.dataset.copy).then(copied, () => undefined),
  );
}

// Waits for news of a payment or a licence: often at first, then rarely, and not at all after a quarter of an hour.
const waiting = document.querySelector('[data-poll]');
if (waiting !== null) {
  const since = Date.now();
  let pause = 700;
  const ask = async () => {
    if (document.visibilityState === 'visible') {
      try {
        const answer = await fetch(waiting.dataset.poll, {
          headers: { accept: 'application/json' },
          cache: 'no-store',
        });
        if (answer.ok && (await answer.json()).phase !== waiting.dataset.phase) return location.reload();
      } catch {
        // The network comes back or it does not; the page stays as it is.
      }
      pause = Math.min(pause * 1.3, 10_000);
    }
    if (Date.now() - since < 15 * 60_000) setTimeout(ask, pause);
  };
  setTimeout(ask, pause);
}

const reload = document.querySelector('[data-reload-after]');
if (reload !== null) setTimeout(() => location.reload(), Number(reload.dataset.reloadAfter));

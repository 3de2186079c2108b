// Puts the chosen theme on the page before its first paint. Blocking on purpose, external because of the CSP.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem('sampan-theme');
  } catch (error) {
    // Storage is blocked: the system decides.
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  var color = document.querySelector('meta[name="theme-color"]');
  if (color) color.setAttribute('content', dark ? '#0e1312' : '#f6f6f2');
})();

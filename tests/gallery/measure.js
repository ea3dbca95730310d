// What a reader can see and tap of a letter, measured in the page; `titles` are those of its papers.
titles => {
  const shown = element => {
    const style = getComputedStyle(element);
    return style.visibility === 'visible' && style.display !== 'none';
  };
  const rgba = color => (color.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number).concat(1).slice(0, 4);
  // What lies behind an element: its ancestors' fills, one over the other, down to the page's canvas.
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches
    && getComputedStyle(document.documentElement).colorScheme.includes('dark') ? [18, 18, 18] : [255, 255, 255];
  const behind = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce(
      (below, [red, green, blue, alpha]) =>
        [red, green, blue].map((part, i) => part * alpha + below[i] * (1 - alpha)), canvas);
  };
  const seen = (text, element) => {
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= +getComputedStyle(at).opacity;
    const below = behind(element);
    const [red, green, blue, alpha] = rgba(getComputedStyle(element).color);
    const color = [red, green, blue].map((part, i) => part * alpha * opacity + below[i] * (1 - alpha * opacity));
    return { text, color, background: below };
  };
  const texts = [], pieces = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    const text = node.data.replace(/[\s\u00a0]+/g, ' ').trim();
    if (!text || !shown(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width * box.height === 0) continue;
    texts.push(seen(text, element));
    if (text.length > 7 && element.closest('h1,h2,h3,h4,a') && titles.some(title => title.includes(text))) {
      const lang = element.closest('[lang]'), dir = element.closest('[dir],bdi');
      pieces.push({ text, lang: lang ? lang.lang : '', dir: dir ? dir.dir || 'auto' : '' });
    }
  }
  for (const image of document.images) if (shown(image) && image.alt) texts.push(seen(image.alt, image));

  // A link inside a sentence stands in a line of words that are not its own; all others are targets by themselves.
  const block = element => {
    while (getComputedStyle(element).display === 'inline') element = element.parentElement;
    return element;
  };
  const wordsAround = link => {
    const home = block(link);
    const nodes = document.createTreeWalker(home, NodeFilter.SHOW_TEXT);
    let words = 0;
    while (nodes.nextNode()) {
      const parent = nodes.currentNode.parentElement;
      if (parent.closest('a') || block(parent) !== home) continue;
      words += (nodes.currentNode.data.match(/[\p{L}\p{N}]+/gu) || []).length;
    }
    return words;
  };
  const links = [];
  for (const link of document.querySelectorAll('a[href]')) {
    const boxes = [link, ...link.querySelectorAll('*')].map(each => each.getBoundingClientRect())
      .filter(box => box.width * box.height > 0);
    if (!boxes.length || !shown(link)) continue;
    const size = (low, high) => Math.max(...boxes.map(b => b[high])) - Math.min(...boxes.map(b => b[low]));
    links.push({
      name: (link.innerText.trim() || [...link.querySelectorAll('img')].map(i => i.alt).join(' ')).slice(0, 60),
      width: size('left', 'right'), height: size('top', 'bottom'),
      inSentence: getComputedStyle(link).display === 'inline' && wordsAround(link) >= 3,
    });
  }
  const box = element => element.getBoundingClientRect();
  return {
    texts, links, pieces,
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    wide: [...document.body.querySelectorAll('*')]
      .filter(e => box(e).width && (box(e).right > window.innerWidth + 1 || box(e).left < -1))
      .map(e => `${e.tagName} ${e.innerText || ''}`.slice(0, 60)),
    headings: [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter(shown).map(h => +h.tagName[1]),
    landmarks: document.querySelectorAll('main,[role=main],article,[role=article]').length,
    images: [...document.images].map(i => i.getAttribute('alt')),
    lang: document.documentElement.lang,
    dir: document.documentElement.dir,
  };
}

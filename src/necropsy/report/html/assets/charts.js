// Values in, chart options out. Texts are drawn as text: renderMode 'richText' keeps HTML out of the tooltips.
const NARROW = 620;
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function base(colours) {
  return {
    animation: false,
    useUTC: true,
    textStyle: { fontFamily: colours.sans, color: colours.ink },
    tooltip: {
      renderMode: 'richText', confine: true, backgroundColor: colours.card, borderColor: colours.line,
      textStyle: { color: colours.ink, fontFamily: colours.sans, fontSize: 13 },
    },
  };
}

function axis(colours, more) {
  return {
    axisLine: { lineStyle: { color: colours.line } },
    axisTick: { show: false },
    axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true },
    splitLine: { show: false },
    nameTextStyle: { color: colours.soft, fontSize: 12 },
    ...more,
  };
}

// What an axis counts, above it and flush with its labels: beside it, turned by a right angle, nobody reads it.
function title(text, colours) {
  return { name: text, nameGap: 14, nameTextStyle: { color: colours.soft, fontSize: 12, align: 'left', padding: [0, 0, 0, -24] } };
}

function shorten(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

// Two steps of "nice" labels on a time axis: hours within a day, dates at its edge.
const timeLabels = { year: '{yyyy}', month: '{MMM} {yyyy}', day: '{d} {MMM}', hour: '{HH}:{mm}', minute: '{HH}:{mm}', second: '{HH}:{mm}:{ss}' };

// Rows that a wrapping legend takes, from the length of its names: the plot has to end above it.
function legendRows(series, width) {
  let rows = 1;
  let used = 0;
  for (const one of series) {
    const length = 34 + 6.5 * Math.min(44, one.name.length);
    if (used && used + length > width) { rows += 1; used = 0; }
    used += length;
  }
  return rows;
}

// Charts over time stand above one another: the same moment is at the same place in all of them.
function timeGrid(narrow) {
  return { left: narrow ? 40 : 56, right: narrow ? 10 : 38 };
}

function births(picture, colours, width) {
  const narrow = width < NARROW;
  const seen = {};
  const series = picture.series.map((one) => ({
    name: one.name,
    type: 'bar',
    stack: 'births',
    barWidth: `${narrow ? 78 : 84}%`,
    itemStyle: { color: colourOf(one.kind, (seen[one.kind] = (seen[one.kind] ?? -1) + 1), colours) },
    emphasis: { focus: 'series' },
    data: one.values.map((value, bin) => [picture.start + (bin + 0.5) * picture.step, value]),
  }));
  const bins = Math.max(0, ...picture.series.map((one) => one.values.length));
  return {
    ...base(colours),
    tooltip: { ...base(colours).tooltip, trigger: 'axis', axisPointer: { type: 'shadow' }, valueFormatter: (value) => whole.format(value) },
    legend: {
      left: 0, bottom: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 12, itemGap: 16,
      textStyle: { color: colours.ink, fontSize: 13 }, formatter: (name) => shorten(name, 44),
    },
    grid: { ...timeGrid(narrow), top: 34, bottom: 36 + 27 * legendRows(picture.series, width) },
    xAxis: axis(colours, {
      type: 'time', containShape: false, min: picture.start, max: picture.start + bins * picture.step, name: narrow ? '' : 'UTC', nameGap: 6,
      axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true, formatter: timeLabels },
    }),
    yAxis: axis(colours, {
      type: 'value', splitLine: { lineStyle: { color: colours.line } }, axisLine: { show: false },
      ...title(picture.unit, colours),
    }),
    series,
  };
}

function comb(picture, colours, width) {
  const narrow = width < NARROW;
  const at = (seconds) => picture.start + seconds * 1000;
  const dots = (tooth) => picture.points.filter((point) => point[2] === tooth).map((point) => [at(point[0]), point[1]]);
  const series = [{
    name: 'everybody else', type: 'scatter', symbol: 'circle', symbolSize: narrow ? 2.5 : 3.5,
    itemStyle: { color: colours.people[0], opacity: 0.55 }, data: dots(-1), z: 2, silent: true,
  }];
  picture.teeth.forEach((tooth, index) => series.push({
    name: tooth.label,
    type: 'scatter',
    // Shape says what colour says: not in any access log is a diamond.
    symbol: tooth.logged === false ? 'diamond' : 'circle',
    symbolSize: tooth.logged === false ? 5.5 : 4,
    itemStyle: { color: colourOf('cause', tooth.colour, colours), opacity: 0.8 },
    data: dots(index),
    z: 3,
    silent: true,
  }));
  return {
    ...base(colours),
    tooltip: { show: false },
    grid: { ...timeGrid(narrow), top: 36, bottom: 36 + 22 * (picture.teeth.length + 1) },
    legend: {
      orient: 'vertical', left: 0, bottom: 0, itemWidth: 10, itemHeight: 10, itemGap: 8, selectedMode: false,
      textStyle: { color: colours.ink, fontSize: narrow ? 12 : 13 }, formatter: (name) => shorten(name, narrow ? 40 : 90),
    },
    xAxis: axis(colours, {
      type: 'time', min: picture.from, max: picture.to, name: narrow ? '' : 'UTC', nameGap: 6,
      axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true, formatter: timeLabels },
    }),
    yAxis: axis(colours, {
      type: 'value', min: 0, max: picture.period, axisLine: { show: false }, splitLine: { lineStyle: { color: colours.line, opacity: 0.6 } },
      axisLabel: { color: colours.soft, fontSize: 12, formatter: '{value} s' }, ...title(picture.unit, colours),
    }),
    series,
  };
}

function history(picture, colours, width) {
  const narrow = width < NARROW;
  // Of events that stand side by side the first alone is named: names over names cannot be read.
  let named = -Infinity;
  const apart = (picture.end - picture.start) * (narrow ? 0.06 : 0.025);
  const names = picture.marks.map((mark) => {
    const shown = mark.kind !== 'change' && mark.at - named > apart;
    if (shown) named = mark.at;
    return shown;
  });
  return {
    ...base(colours),
    tooltip: { ...base(colours).tooltip, trigger: 'axis', valueFormatter: (value) => whole.format(value) },
    grid: { ...timeGrid(narrow), top: 34, bottom: 36 },
    xAxis: axis(colours, {
      type: 'time', min: picture.start, max: picture.end, name: narrow ? '' : 'UTC', nameGap: 6,
      axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true, formatter: timeLabels },
    }),
    yAxis: axis(colours, {
      type: 'value', min: 0, splitLine: { lineStyle: { color: colours.line } }, axisLine: { show: false },
      ...title(picture.unit, colours),
    }),
    series: [{
      name: picture.unit, type: 'line', step: 'start', symbol: 'none', data: picture.births,
      lineStyle: { color: colours.ink, width: 1.2 }, itemStyle: { color: colours.ink },
      markLine: {
        symbol: 'none', silent: true, animation: false,
        data: picture.marks.map((mark, place) => ({
          xAxis: mark.at,
          // A change is a solid line, an event a dashed one: shape says what colour says.
          lineStyle: { color: mark.kind === 'change' ? colourOf('cause', 0, colours) : colours.soft, type: mark.kind === 'change' ? 'solid' : 'dashed', width: 1.5 },
          label: {
            show: names[place], position: 'insideEndTop', color: colours.soft, fontSize: 11, formatter: shorten(mark.text, narrow ? 22 : 48),
          },
        })),
      },
    }],
  };
}

// Measured is a whole line, predicted a dashed one, ahead a dotted one: shape says what colour says.
const strokes = { measured: 'solid', predicted: 'dashed', ahead: 'dotted' };

function course(picture, colours, width) {
  const narrow = width < NARROW;
  const stroke = { measured: colours.ink, predicted: colourOf('cause', 0, colours), ahead: colours.soft };
  const top = Math.max(1, ...picture.lines.flatMap((line) => line.points.map((point) => point[1])));
  const limits = picture.full !== null && picture.full <= 1.5 * top ? [{
    yAxis: picture.full, lineStyle: { color: colourOf('cause', 0, colours), type: 'solid', width: 1 },
    label: { show: true, position: 'insideStartTop', color: colours.soft, fontSize: 11, formatter: 'memory is used up' },
  }] : [];
  return {
    ...base(colours),
    tooltip: { ...base(colours).tooltip, trigger: 'axis', valueFormatter: (value) => whole.format(value) },
    legend: {
      left: 0, bottom: 0, itemWidth: 26, itemHeight: 10, itemGap: 16,
      textStyle: { color: colours.ink, fontSize: 13 }, formatter: (name) => shorten(name, 44),
    },
    grid: { ...timeGrid(narrow), top: 34, bottom: 36 + 27 * legendRows(picture.lines, width) },
    xAxis: axis(colours, {
      type: 'time', min: picture.start, max: picture.end, name: narrow ? '' : 'UTC', nameGap: 6,
      axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true, formatter: timeLabels },
    }),
    yAxis: axis(colours, {
      type: 'value', min: 0, max: limits.length ? Math.max(top, picture.full) * 1.05 : undefined,
      splitLine: { lineStyle: { color: colours.line } }, axisLine: { show: false }, ...title(picture.unit, colours),
    }),
    series: picture.lines.map((line, place) => ({
      name: line.name, type: 'line', symbol: 'none', data: line.points,
      lineStyle: { color: stroke[line.kind], width: 2, type: strokes[line.kind] }, itemStyle: { color: stroke[line.kind] },
      markLine: place ? undefined : {
        symbol: 'none', silent: true, animation: false,
        data: [...limits, ...picture.marks.map((mark) => ({
          xAxis: mark.at,
          lineStyle: { color: colours.soft, type: mark.kind === 'now' ? 'solid' : 'dashed', width: 1 },
          label: { show: true, position: 'insideEndTop', color: colours.soft, fontSize: 11, formatter: shorten(mark.text, narrow ? 18 : 40) },
        }))],
      },
    })),
  };
}

function histogram(picture, colours) {
  const most = Math.max(...picture.counts);
  return {
    ...base(colours),
    tooltip: { show: false },
    grid: { left: 4, right: 56, top: 4, bottom: 4, containLabel: true },
    xAxis: axis(colours, { type: 'value', show: false, max: most }),
    yAxis: axis(colours, {
      type: 'category', inverse: true, data: picture.labels, axisLine: { show: false },
      axisLabel: { color: colours.soft, fontSize: 12, formatter: (name) => shorten(name, 18) },
    }),
    series: [{
      type: 'bar', barWidth: '62%', barMaxWidth: 20, silent: true, itemStyle: { color: colours.soft, borderRadius: 2 },
      label: { show: true, position: 'right', color: colours.ink, fontSize: 12, fontFamily: colours.sans, formatter: (point) => whole.format(point.value) },
      data: picture.counts,
    }],
  };
}

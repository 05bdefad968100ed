/*
 * Copyright 2026-present the original author or authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 *      https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */

package cn.authing.wechat.wxjava;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

import me.chanjar.weixin.common.bean.CommonUploadData;
import me.chanjar.weixin.common.bean.CommonUploadParam;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.util.StreamUtils;

/**
 * Upload data that can be sent again: WxJava repeats a call whose token was rejected, but
 * its stream has been read and closed by then. What is read from a stream that cannot be
 * rewound is kept in memory until the call ends.
 */
final class RepeatableUploadData extends CommonUploadData {

	private static final long serialVersionUID = 1L;

	private final transient InputStream source;

	private RepeatableUploadData(CommonUploadData data, InputStream source) {
		super(data.getFileName(), source, data.getLength());
		this.source = source;
	}

	/**
	 * Make an upload repeatable for the time of a call.
	 * @param upload the upload
	 * @param call the call
	 * @return what the call returns
	 */
	static @Nullable Object use(CommonUploadParam upload, MethodInvocation call) throws Throwable {
		CommonUploadData data = upload.getData();
		if (data == null || data.getInputStream() == null) {
			return call.proceed();
		}
		InputStream original = data.getInputStream();
		try (InputStream source = original.markSupported() ? original : new BufferedInputStream(original)) {
			source.mark(Integer.MAX_VALUE);
			upload.setData(new RepeatableUploadData(data, source));
			return call.proceed();
		}
		finally {
			upload.setData(data);
		}
	}

	// Called once for each attempt
	@Override
	public InputStream getInputStream() {
		try {
			this.source.reset();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return StreamUtils.nonClosing(this.source);
	}

}
